// Every message of a turn through JSON and the wire: nothing lost, floats bit for bit.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "messages/audit.hpp"
#include "messages/control.hpp"
#include "messages/host.hpp"
#include "messages/json.hpp"
#include "messages/pruning.hpp"
#include "messages/training.hpp"
#include "messages/wire.hpp"

namespace esper {

namespace {

/// Gives every field another value, so that a field that is dropped or swapped shows.
struct Filler {
  std::uint64_t next = 1;

  template <typename T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, bool>)
      value = true;
    else if constexpr (std::is_floating_point_v<T>)
      value = static_cast<T>(next++) / T{7};
    else if constexpr (std::is_arithmetic_v<T>)
      value = static_cast<T>(next++ % 100);
    else if constexpr (std::is_same_v<T, std::string>)
      value = "text " + std::to_string(next++);
    else if constexpr (NamedEnum<T>)
      value = static_cast<T>(next++ % EnumNames<T>::values.size());
    else if constexpr (IsStrong<T>::value)
      fill(value.value);
    else if constexpr (std::is_same_v<T, Energy>)
      fill(value.thousandths);
    else if constexpr (IsVector<T>::value) {
      value.resize(2);
      for (auto& element : value) fill(element);
    } else if constexpr (IsOptional<T>::value)
      fill(value.emplace());
    else
      for_each_field(value, [&](std::string_view, auto& member) { fill(member); });
  }
};

template <typename T>
void crosses_unchanged(caf::actor_system& system) {
  INFO(T::schema.name);
  T message{};
  Filler{}.fill(message);
  const std::string text = canonical(message);
  CHECK(canonical(parsed<T>(text)) == text);

  std::vector<char> bytes;
  caf::binary_serializer out{system, bytes};
  REQUIRE_FALSE(out(message));
  T arrived{};
  caf::binary_deserializer in{system, bytes};
  REQUIRE_FALSE(in(arrived));
  CHECK(canonical(arrived) == text);

  bytes.pop_back();
  T cut{};
  caf::binary_deserializer truncated{system, bytes};
  CHECK(truncated(cut));
}

}  // namespace

TEMPLATE_TEST_CASE("messages cross JSON and the wire unchanged", "[schema]", WindowReport,
                   RegionTurn, RegionPart, StrategyPart, TurnRelease, TurnRecord, TurnOpened,
                   TurnReports, TurnCommitted, Recover, Recovery, RoleDown, Restart, Absence,
                   ReadSeeds, RegionSeeds, Catalogue, HostDescription, TrainedModel,
                   CheckpointReady, JournalEntry, ScaffoldRequest, ZoneGrant, Escalation,
                   PruningAllowance, ImportanceReport, PruningPlan, SurgeryOrder, SurgeryOutcome,
                   DeadLetter, KillRole, WindowSummary) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  crosses_unchanged<TestType>(system);
}

SCENARIO("floats that CAF's own packing loses arrive bit for bit", "[wire]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  using Limits = std::numeric_limits<double>;
  for (const double value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                             Limits::denorm_min(), -0.0, 0.1}) {
    Evidence sent{"value", value};
    std::vector<char> bytes;
    caf::binary_serializer out{system, bytes};
    REQUIRE_FALSE(out(sent));
    Evidence arrived;
    caf::binary_deserializer in{system, bytes};
    REQUIRE_FALSE(in(arrived));
    CHECK(std::memcmp(&arrived.value, &value, sizeof value) == 0);
    const auto read = parsed<Evidence>(canonical(sent));
    CHECK(std::memcmp(&read.value, &value, sizeof value) == 0);
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
