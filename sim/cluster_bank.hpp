#pragma once
// Tamiyo's seat on one node, leading or standing by: she mints, grants, and moves regions away from
// nodes that are lost. Whatever she does stands in the database first, and follows from it alone,
// so that who takes over goes on where she was.
#include "actors/decisions/region_move.hpp"
#include "sim/cluster_peers.hpp"
#include "sim/cluster_replica.hpp"

namespace esper::sim::cluster {

class Bank {
 public:
  Bank(World& world, const Shape& shape, Peers& peers, NodeId self);

  void tick();
  void take(const Row& row);
  void take(const Appended& appended);
  void take(const Report& report);

  [[nodiscard]] bool leads() const { return leading_; }

 private:
  struct Region {
    Epoch next;     ///< that it has or is to have
    Epoch started;  ///< 0: not yet
    NodeId node{};
    std::uint64_t process{};
    bool open{};                          ///< its lease is not closed
    Entry grant;                          ///< the newest
    Cycle blocked;                        ///< no lease in that cycle any more
    std::map<Cycle, std::int64_t> spent;  ///< of closed leases
  };
  void fold(const Entry& entry);
  void decide();
  void place_region(RegionId id, Region& region, std::vector<Entry>& entries);
  void move_region(RegionId id, Region& region, std::vector<Entry>& entries);
  void renew_region(RegionId id, Region& region, std::vector<Entry>& entries);
  [[nodiscard]] Entry entry_of(Entry::Kind kind, RegionId region) const;
  [[nodiscard]] Entry closing(RegionId id, const Region& region) const;
  [[nodiscard]] std::optional<NodeId> home_for(RegionId id);
  [[nodiscard]] bool gone(const Region& region);
  void send_assignments();
  void send(Payload payload) { world_.send(self_, shape_.database(), std::move(payload)); }

  World& world_;
  const Shape& shape_;
  Peers& peers_;
  NodeId self_;
  StandbyWatch watch_;
  bool leading_{};
  Epoch epoch_;
  std::optional<Epoch> taken_;  ///< seen, of a row that was asked for
  std::optional<Append> under_way_;
  std::uint64_t sent_ms_{};
  Report report_;  ///< the newest

  std::uint64_t entries_{};
  Cycle minted_;
  std::map<RegionId, Region> regions_;
};

}  // namespace esper::sim::cluster
