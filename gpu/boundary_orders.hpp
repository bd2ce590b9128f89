#pragma once
// What the replica that leads tells the others: all that its control side has for a boundary. They
// have none of their own.
#include "messages/turn.hpp"

namespace esper {

struct BoundaryOrders {
  std::vector<TurnRelease> turns;      ///< taken and not applied yet
  std::vector<std::uint32_t> escaped;  ///< of each: 1, its escapes have been carried out
  Window newest_turn;
  std::vector<Epoch> fences;  ///< by region
  bool stalled{};
  bool abandoned{};        ///< it was stopped while it waited: this boundary is not closed
  std::uint32_t poison{};  ///< 1 + the region's number; 0: none is asked
  bool regroup{};          ///< a new replica waits: behind this boundary all form a group with it
  double control_share{};  ///< of the window before, measured

  static constexpr auto schema = record(
      "BoundaryOrders", field("turns", &BoundaryOrders::turns),
      field("escaped", &BoundaryOrders::escaped),
      field("newest_turn", &BoundaryOrders::newest_turn), field("fences", &BoundaryOrders::fences),
      field("stalled", &BoundaryOrders::stalled), field("abandoned", &BoundaryOrders::abandoned),
      field("poison", &BoundaryOrders::poison), field("regroup", &BoundaryOrders::regroup),
      field("control_share", &BoundaryOrders::control_share));
};

}  // namespace esper
