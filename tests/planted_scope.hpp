#pragma once
// One rule spoilt, for as long as this stands. For test builds with the switch alone.
#include "actors/decisions/planted.hpp"

namespace esper {

class PlantedScope {
 public:
  explicit PlantedScope(Planted bug) { planted_now = bug; }
  ~PlantedScope() { planted_now = Planted::none; }
  PlantedScope(const PlantedScope&) = delete;
  PlantedScope& operator=(const PlantedScope&) = delete;
};

}  // namespace esper
