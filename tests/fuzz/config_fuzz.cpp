// A config file; what follows the first NUL byte is overrides, a line each.
// Held: every mistake is one sentence in one line; a config without mistakes writes itself out, and
// reads back the same.
#include <algorithm>

#include "runtime/config.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace esper {
namespace {

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const auto end = text.find('\n');
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return all;
}

/// Whether this machine has the data says nothing about the text.
bool says_nothing_of_text(const ConfigMistake& mistake) {
  return mistake.key == "data.path" && !mistake.problem.starts_with("not JSON") &&
         !mistake.problem.starts_with("the text ends");
}

bool usable(const std::vector<ConfigMistake>& mistakes) {
  return std::all_of(mistakes.begin(), mistakes.end(), says_nothing_of_text);
}

void read(std::string_view input) {
  const auto end = input.find('\0');
  const auto text = input.substr(0, end);
  const auto overrides =
      lines(end == std::string_view::npos ? std::string_view{} : input.substr(end + 1));
  const auto parsed = parse_config(text, "fuzzed", overrides);
  for (const auto& mistake : parsed.mistakes) {
    const auto sentence = sentence_of(mistake);
    must(!sentence.empty() && sentence.find('\n') == std::string::npos, "a mistake is one line");
  }
  if (!usable(parsed.mistakes)) return;
  const auto effective = effective_config(parsed.config);
  const auto again = parse_config(effective, "effective");
  must(usable(again.mistakes), "an effective config has no mistakes");
  must(effective_config(again.config) == effective, "an effective config reads back the same");
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  esper::read({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
