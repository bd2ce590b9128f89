// An entry's payload, as whoever reads a journal takes it: as its kind, and as people see it. The
// first byte chooses the kind.
// Held: refused with an exception that its readers know, or written again to a text that reads back
// the same.
#include <array>

#include "runtime/journal_kinds.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace esper {
namespace {

template <typename Kind>
void read_as(const std::string& text) {
  try {
    const auto written = canonical(parsed<Kind>(text));
    must(canonical(parsed<Kind>(written)) == written, "a payload reads back the same");
  } catch (const MalformedJson&) {
  } catch (const nlohmann::json::exception&) {
  }
}

using Read = void (*)(const std::string&);

template <typename... Kinds>
constexpr std::array<Read, sizeof...(Kinds)> readers(const std::tuple<Kinds...>*) {
  return {&read_as<Kinds>...};
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static constexpr auto all = esper::readers(static_cast<const esper::JournalKinds*>(nullptr));
  if (size == 0) return 0;
  const std::string text{reinterpret_cast<const char*>(bytes) + 1, size - 1};
  (void)esper::readable_payload(text).dump();
  all[bytes[0] % all.size()](text);
  return 0;
}
