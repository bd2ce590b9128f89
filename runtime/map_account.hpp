#pragma once
// The host's regions as a run left them, in the order of the flow. Pure.
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/host.hpp"
#include "messages/turn.hpp"
#include "runtime/life_account.hpp"

namespace esper {

struct RegionAccount {
  std::string region;
  std::uint64_t parameters{}, operations{};            ///< of the host alone, at launch
  std::uint64_t parameters_left{}, operations_left{};  ///< after what was cut
  double parameters_share{}, operations_share{};       ///< of the host as it is left, [0, 1]
  std::vector<std::string> seeds;   ///< standing at the end: "slot: blueprint, stage"
  std::uint64_t seed_parameters{};  ///< theirs, as planted
  bool embargoed{}, crisis{};       ///< at the end

  static constexpr auto schema = record("RegionAccount", field("region", &RegionAccount::region),
                                        field("parameters", &RegionAccount::parameters),
                                        field("operations", &RegionAccount::operations),
                                        field("parameters_left", &RegionAccount::parameters_left),
                                        field("operations_left", &RegionAccount::operations_left),
                                        field("parameters_share", &RegionAccount::parameters_share),
                                        field("operations_share", &RegionAccount::operations_share),
                                        field("seeds", &RegionAccount::seeds),
                                        field("seed_parameters", &RegionAccount::seed_parameters),
                                        field("embargoed", &RegionAccount::embargoed),
                                        field("crisis", &RegionAccount::crisis));
};

struct EdgeAccount {
  std::string from, to;
  bool skip{};  ///< passes other regions by

  static constexpr auto schema =
      record("EdgeAccount", field("from", &EdgeAccount::from), field("to", &EdgeAccount::to),
             field("skip", &EdgeAccount::skip));
};

struct MapAccount {
  std::string host;
  std::vector<RegionAccount> regions;
  std::vector<EdgeAccount> edges;

  static constexpr auto schema =
      record("MapAccount", field("host", &MapAccount::host), field("regions", &MapAccount::regions),
             field("edges", &MapAccount::edges));
};

/// Reads entries in sequence order.
class MapAccountant {
 public:
  void take(const JournalEntry& entry);
  [[nodiscard]] MapAccount map(const std::vector<LifeAccount>& lives) const;

 private:
  HostDescription launched_, left_;
  std::vector<bool> embargoed_, crisis_;
};

}  // namespace esper
