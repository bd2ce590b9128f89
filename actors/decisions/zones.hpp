#pragma once
// Protected zones: where nothing is cut, from the grant of a scaffold until so many clean
// checkpoints after it has left.
#include <map>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/turn.hpp"

namespace esper {

/// One turn as zones see it.
struct ZoneTurn {
  Window window;
  const std::vector<RegionReport>& reports;
  bool checkpoint{};                ///< this turn's boundary was one
  std::vector<RegionId> in_escrow;  ///< regions with energy for a scaffold still set aside
};

/// A plain value; one zone per region at most. Zones that touch merge in `embargoed`, which is
/// their union. ZONE-1 rests on this and on who asks it.
class Zones {
 public:
  Zones(std::vector<RegionEdge> edges, std::uint32_t regions, const ScaffoldConfig& config);

  /// A scaffold was granted there: the zone stands, also where the old one's end was near.
  void open(RegionId region, Window window);

  /// What a turn says, absent strategist or not. A scaffold has left when its region reports none
  /// where there was one, or when it never came and nothing is set aside for it any more. One that
  /// nobody granted makes a zone, too. A checkpoint is clean for a zone when in every window since
  /// the one before every region in the zone reported, out of crisis and without a scaffold, and
  /// the zone's own scaffold had left before. Returns the regions for which this turn ended such a
  /// checkpoint, each by itself; none without a checkpoint.
  std::vector<RegionId> observe(const ZoneTurn& turn);

  [[nodiscard]] const ZoneState& state() const { return state_; }
  [[nodiscard]] bool embargoed(RegionId region) const;
  /// Granted or standing, and not yet gone.
  [[nodiscard]] bool has_scaffold(RegionId region) const;

 private:
  friend struct StateFields;  // tests' list of all fields

  struct Entry {
    Zone zone;
    bool planted{};
    Window left;  ///< when its scaffold did
  };

  void watch(const ZoneTurn& turn);
  void follow(Entry& entry, const ZoneTurn& turn);
  [[nodiscard]] bool clean(const Entry& entry) const;
  void restate();

  std::vector<RegionEdge> edges_;
  std::uint32_t radius_, clean_checkpoints_;
  std::vector<bool> calm_;             ///< by region: in every window since the last checkpoint
  std::map<RegionId, Entry> entries_;  ///< active zones
  Window seen_, checkpoint_;           ///< newest
  ZoneState state_;
};

}  // namespace esper
