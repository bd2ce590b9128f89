// Bytes from a peer, as each kind of message. The first byte chooses the kind.
// Held: a refusal is an error with a name; what is taken is encoded and decoded again to the same
// value, and can be written to the journal.
#include <array>

#include "messages/json.hpp"
#include "messages/wire.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/messages/every_message.hpp"

namespace esper {
namespace {

template <typename T>
std::vector<char> encoded(T& message) {
  std::vector<char> bytes;
  caf::binary_serializer out{static_cast<caf::execution_unit*>(nullptr), bytes};
  must(!out(message), "what was decoded can be encoded");
  return bytes;
}

template <typename T>
void decode(const char* bytes, std::size_t size) {
  T taken{};
  caf::binary_deserializer in{static_cast<caf::execution_unit*>(nullptr), bytes, size};
  if (in(taken)) return;
  const auto first = encoded(taken);
  T again{};
  caf::binary_deserializer second{static_cast<caf::execution_unit*>(nullptr), first};
  must(!second(again), "what was encoded is decoded");
  must(encoded(again) == first, "a value crosses the wire unchanged");
  auto read = parsed<T>(canonical(taken));
  must(encoded(read) == first, "a value crosses the journal unchanged");
}

using Decode = void (*)(const char*, std::size_t);

template <typename... T>
constexpr std::array<Decode, sizeof...(T)> decoders(const std::tuple<T...>*) {
  return {&decode<T>...};
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static constexpr auto all = esper::decoders(static_cast<const esper::Messages*>(nullptr));
  if (size == 0) return 0;
  all[bytes[0] % all.size()](reinterpret_cast<const char*>(bytes) + 1, size - 1);
  return 0;
}
