#pragma once
// Links between simulated nodes: they lose, double, delay and cut, by the seed.
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/world.hpp"

namespace esper::sim {

/// Of one pair of nodes, both ways alike. Chances in percent.
struct LinkTrouble {
  std::uint32_t lose{}, twice{};
  std::uint64_t delay_ms_max{};
  bool cut{};
};

/// A supervisor's word must arrive: as a link's own protocol does, it is told again until then.
enum class Delivery : std::uint8_t { may_be_lost, sure };

class Network {
 public:
  /// A link that was cut so long is given up: both ends then count the other as gone.
  static constexpr std::uint64_t suspicion_ms = 3'000;
  static constexpr std::uint64_t repeated_after_ms = 200;

  Network(World& world, std::uint64_t seed) : world_(world), stream_(seed, "sim.network") {}

  /// Carries a message: `arrive` is called there, now or later, once, twice or never; what is
  /// sure, once. What a cut link holds arrives when it is whole again, or is lost.
  void carry(const std::string& from, const std::string& to, const std::function<void()>& arrive,
             Delivery delivery = Delivery::may_be_lost);
  void set(const std::string& node, const LinkTrouble& trouble);
  void cut(const std::string& node, std::uint64_t duration_ms);
  void heal();
  [[nodiscard]] bool whole(const std::string& node) const;
  /// Called when a link has been cut for suspicion_ms.
  std::function<void(const std::string& node)> suspected;
  /// Called for each message that a troubled link loses, doubles or delays.
  std::function<void(const std::string& node)> troubled;

 private:
  void mend(const std::string& node, std::uint64_t cut_number);
  [[nodiscard]] static const std::string& far_end(const std::string& from, const std::string& to) {
    return from == "lead" ? to : from;
  }

  struct Link {
    LinkTrouble trouble;
    std::uint64_t cuts{};  ///< so far
    std::vector<std::function<void()>> held;
  };

  World& world_;
  RandomStream stream_;
  std::map<std::string, Link> links_;  ///< by the node at the far end from the lead
};

}  // namespace esper::sim
