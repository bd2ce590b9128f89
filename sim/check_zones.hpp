#pragma once
// ZONE-1 by zones of its own, never larger than the real ones: from a grant until the scaffold has
// left and one whole checkpoint window after that was without a crisis.
#include <map>
#include <set>

#include "messages/blueprint.hpp"
#include "messages/host.hpp"
#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"

namespace esper::sim {

class ZoneCheck {
 public:
  ZoneCheck(Findings& findings, const HostDescription& host, const Catalogue& catalogue,
            std::uint32_t radius);

  void take(const SeenTurn& turn);
  /// A surgery was kept.
  void operated(const SurgeryOutcome& outcome, Window window);
  /// The region's Narset was told wrong stages: of its scaffolds what it reports counts from now
  /// on.
  void lied_to(RegionId region) { lied_to_.insert(region); }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t lifted() const { return lifted_; }

 private:
  struct Zone {
    Window since;
    /// Scaffolds, each with the last boundary at which its order may still be carried out; one that
    /// was has no last one.
    std::map<SeedId, Window> standing;
    bool planted{};
    Window left;    ///< 0: not yet
    bool crisis{};  ///< since the last checkpoint
  };
  void follow(const SeenTurn& turn);
  void follow_outcomes(const SeenTurn& turn);
  [[nodiscard]] std::set<RegionId> near(RegionId region) const;
  [[nodiscard]] std::set<RegionId> regions_of(const GroupCut& cut) const;

  Findings& findings_;
  const HostDescription& host_;
  std::set<std::string> scaffolds_;
  std::set<RegionId> lied_to_;
  std::uint32_t radius_;
  std::map<RegionId, Zone> zones_;
  Window checkpoint_;
  std::uint64_t opened_{}, lifted_{};
};

}  // namespace esper::sim
