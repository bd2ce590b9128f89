#pragma once
// Ids and quantities. Every one is a type of its own, so that a window is never taken for a cycle.
#include <compare>
#include <cstdint>
#include <string>

namespace esper {

/// A number with a meaning. `Tag` keeps kinds apart; `value` is the plain number.
template <typename Tag, typename Representation>
struct Strong {
  using representation = Representation;
  Representation value{};
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

using RegionId = Strong<struct RegionTag, std::uint32_t>;  ///< index into HostDescription::regions
using SlotId = Strong<struct SlotTag, std::uint32_t>;      ///< index into HostDescription::slots
using SeedId = Strong<struct SeedTag, std::uint64_t>;    ///< 0: none; the germinating command's key
using Tick = Strong<struct TickTag, std::uint64_t>;      ///< calls of the loop; never goes back
using Step = Strong<struct StepTag, std::uint64_t>;      ///< optimizer updates that survive
using Window = Strong<struct WindowTag, std::uint64_t>;  ///< telemetry period, counted from 1
using Cycle = Strong<struct CycleTag, std::uint64_t>;    ///< budget period, counted from 1
using Epoch = Strong<struct EpochTag, std::uint32_t>;    ///< a role's incarnation, counted from 1

constexpr Window operator+(Window window, std::uint64_t more) { return {window.value + more}; }

/// Whole thousandths of the Stability/Energy Budget's unit; never a float.
struct Energy {
  std::int64_t thousandths{};
  friend constexpr auto operator<=>(const Energy&, const Energy&) = default;
  friend constexpr Energy operator+(Energy a, Energy b) { return {a.thousandths + b.thousandths}; }
  friend constexpr Energy operator-(Energy a, Energy b) { return {a.thousandths - b.thousandths}; }
  constexpr Energy& operator+=(Energy b) { return *this = *this + b; }
  constexpr Energy& operator-=(Energy b) { return *this = *this - b; }
};

}  // namespace esper
