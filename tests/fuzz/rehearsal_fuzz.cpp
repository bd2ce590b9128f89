// A rehearsal's file.
// Held: every mistake is one sentence in one line; a rehearsal without mistakes writes itself out,
// and reads back the same.
#include "sim/rehearsal.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace esper::sim {
namespace {

void read(std::string_view input) {
  const auto parsed = parse_rehearsal(input, "fuzzed");
  for (const auto& mistake : parsed.mistakes) {
    const auto sentence = sentence_of(mistake);
    must(!sentence.empty() && sentence.find('\n') == std::string::npos, "a mistake is one line");
  }
  if (!parsed.mistakes.empty()) return;
  const auto text = rehearsal_text(parsed.rehearsal);
  const auto again = parse_rehearsal(text, "written");
  must(again.mistakes.empty(), "a written rehearsal has no mistakes");
  must(rehearsal_text(again.rehearsal) == text, "a written rehearsal reads back the same");
}

}  // namespace
}  // namespace esper::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  esper::sim::read({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
