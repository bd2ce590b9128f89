// Every message of a turn through JSON and the wire: nothing lost, floats bit for bit.
#include <bit>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <set>

#include "messages/json.hpp"
#include "messages/wire.hpp"
#include "tests/messages/every_message.hpp"
#include "tests/paths.hpp"

namespace esper {

namespace {

/// What a message holds, seen without JSON or the wire: the bits of each float, every record's
/// name.
struct Seen {
  std::vector<std::uint64_t> floats;
  std::set<std::string> records;

  template <typename T>
  void see(const T& value) {
    if constexpr (std::is_floating_point_v<T>)
      floats.push_back(std::bit_cast<std::uint64_t>(value));
    else if constexpr (IsVector<T>::value)
      for (const auto& element : value) see(element);
    else if constexpr (IsOptional<T>::value)
      see(value.value());
    else if constexpr (Described<T>) {
      records.emplace(T::schema.name);
      for_each_field(value, [&](std::string_view, const auto& member) { see(member); });
    }
  }
};

template <typename T>
Seen seen(const T& message) {
  Seen all;
  all.see(message);
  return all;
}

template <typename T>
void crosses_unchanged(caf::actor_system& system, bool awkward_floats) {
  INFO(T::schema.name);
  T message{};
  Filler{awkward_floats}.fill(message);
  const std::string text = canonical(message);
  const T read = parsed<T>(text);
  CHECK(canonical(read) == text);
  CHECK(seen(read).floats == seen(message).floats);

  std::vector<char> bytes;
  caf::binary_serializer out{system, bytes};
  REQUIRE_FALSE(out(message));
  T arrived{};
  caf::binary_deserializer in{system, bytes};
  REQUIRE_FALSE(in(arrived));
  CHECK(canonical(arrived) == text);
  CHECK(seen(arrived).floats == seen(message).floats);

  bytes.pop_back();
  T cut{};
  caf::binary_deserializer truncated{system, bytes};
  CHECK(truncated(cut));
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("messages cross JSON and the wire unchanged", "[schema]", Messages) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  crosses_unchanged<TestType>(system, false);
}

TEMPLATE_LIST_TEST_CASE("awkward floats cross JSON and the wire bit for bit", "[schema][wire]",
                        Messages) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  crosses_unchanged<TestType>(system, true);
}

SCENARIO("no message is left out of these tests", "[schema]") {
  std::set<std::string> tested;
  std::apply(
      [&](auto... message) {
        (
            [&] {
              Filler{}.fill(message);
              tested.merge(seen(message).records);
            }(),
            ...);
      },
      Messages{});
  const std::regex record{R"re(\brecord\(\s*"([^"]+)")re"};
  std::size_t described = 0;
  for (const auto& entry : std::filesystem::directory_iterator{source_directory() / "messages"}) {
    std::ifstream file{entry.path()};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    for (std::sregex_iterator match{text.begin(), text.end(), record}, end; match != end; ++match) {
      ++described;
      INFO(entry.path().filename().string() << ": " << (*match)[1].str());
      CHECK(tested.contains((*match)[1]));
    }
  }
  CHECK(described >= 60);
}

SCENARIO("text that is no float is refused", "[schema]") {
  for (const char* value : {R"("0x3ff000000000000g")", R"("0x-ff0000000000000")", R"("0x")",
                            R"("0x3ff00000000000000")", R"("1.0")", R"("0x 3ff000000000000")"}) {
    INFO(value);
    CHECK_THROWS_AS(parsed<Evidence>(R"({"name":"n","value":)" + std::string{value} + "}"),
                    MalformedJson);
  }
  CHECK_THROWS_AS(parsed<Evidence>(R"({"name":"n"})"), MalformedJson);
  CHECK(parsed<Evidence>(R"({"name":"n","value":"0x3ff0000000000000"})").value == 1);
}

SCENARIO("floats that CAF's own packing loses arrive bit for bit", "[wire]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  using Limits = std::numeric_limits<double>;
  for (const double value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                             Limits::denorm_min(), -0.0, 0.1}) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    Evidence sent{"value", value};
    std::vector<char> bytes;
    caf::binary_serializer out{system, bytes};
    REQUIRE_FALSE(out(sent));
    Evidence arrived;
    caf::binary_deserializer in{system, bytes};
    REQUIRE_FALSE(in(arrived));
    CHECK(std::bit_cast<std::uint64_t>(arrived.value) == bits);
    const auto read = parsed<Evidence>(canonical(sent));
    CHECK(std::bit_cast<std::uint64_t>(read.value) == bits);
  }
}

SCENARIO("a peer's text that the journal could not hold is refused", "[wire]") {
  const auto arrives = [](const std::string& reason) {
    caf::actor_system_config config;
    caf::actor_system system{config};
    Absence sent{Role::narset, {1}, reason};
    std::vector<char> bytes;
    caf::binary_serializer out{system, bytes};
    REQUIRE_FALSE(out(sent));
    Absence arrived;
    caf::binary_deserializer in{system, bytes};
    return !in(arrived);
  };
  for (const char* text : {"", "plain", "\u00fc \u20ac \U0001F600", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}) {
    INFO(text);
    CHECK(arrives(text));
  }
  for (const char* text :
       {"\xff", "\x80", "cut \xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\xaf", "\xc1\xbf",
        "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc3(", "\xe2(\xa1", "\xe2\x82(", "\xf0(\x8c\xbc"}) {
    INFO(text);
    CHECK_FALSE(arrives(text));
    CHECK_THROWS(canonical(Absence{Role::narset, {1}, text}));
  }
}

SCENARIO("a peer that announces a huge vector is refused before any allocation", "[wire]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::vector<char> bytes;
  caf::binary_serializer out{system, bytes};
  std::uint64_t announced = std::uint64_t{1} << 40;
  REQUIRE_FALSE(out(announced));
  RegionSeeds arrived;
  caf::binary_deserializer in{system, bytes};
  CHECK(in(arrived));
}

}  // namespace esper
