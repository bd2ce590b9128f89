#pragma once
// What a journal tells about regions in trouble and the scaffolds that helped them. Pure.
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/host.hpp"
#include "messages/turn.hpp"

namespace esper {

/// One request for a scaffold, and its life if it was granted. Windows of 0: it never came to that.
struct ScaffoldAccount {
  std::string region, slot, blueprint;
  Window requested;
  std::string reason;  ///< the bands that were left
  Energy ask;
  std::string answer;  ///< granted, or why not
  Energy drawn, given_back;
  Window grafted, succeeded, sunset, retired, zone_lifted;
  std::string exit;        ///< fold, wean; "" when it did not come to leave
  double contribution{};   ///< nats on the gate split: the evidence that chose the exit
  double output_change{};  ///< relative, at sunset

  static constexpr auto schema = record(
      "ScaffoldAccount", field("region", &ScaffoldAccount::region),
      field("slot", &ScaffoldAccount::slot), field("blueprint", &ScaffoldAccount::blueprint),
      field("requested", &ScaffoldAccount::requested), field("reason", &ScaffoldAccount::reason),
      field("ask", &ScaffoldAccount::ask), field("answer", &ScaffoldAccount::answer),
      field("drawn", &ScaffoldAccount::drawn), field("given_back", &ScaffoldAccount::given_back),
      field("grafted", &ScaffoldAccount::grafted), field("succeeded", &ScaffoldAccount::succeeded),
      field("sunset", &ScaffoldAccount::sunset), field("retired", &ScaffoldAccount::retired),
      field("zone_lifted", &ScaffoldAccount::zone_lifted), field("exit", &ScaffoldAccount::exit),
      field("contribution", &ScaffoldAccount::contribution),
      field("output_change", &ScaffoldAccount::output_change));
};

/// A region from its first window in crisis until two stable windows in a row.
struct TroubleAccount {
  std::string region;
  Window began;
  Window recovered;  ///< the second of them; 0: it did not recover

  static constexpr auto schema = record("TroubleAccount", field("region", &TroubleAccount::region),
                                        field("began", &TroubleAccount::began),
                                        field("recovered", &TroubleAccount::recovered));
};

/// Reads entries in sequence order.
class ScaffoldAccountant {
 public:
  void take(const JournalEntry& entry);
  [[nodiscard]] const std::vector<ScaffoldAccount>& scaffolds() const { return scaffolds_; }
  [[nodiscard]] const std::vector<TroubleAccount>& troubles() const { return troubles_; }

 private:
  struct Standing {
    std::size_t account{};  ///< index into scaffolds_
    SeedId seed;
  };
  struct Region {
    std::string name;
    bool in_trouble{};
    std::uint32_t stable{};  ///< windows in a row
    std::optional<Standing> scaffold;
  };
  [[nodiscard]] Region& region(RegionId id);
  void request(const ScaffoldRequest& request);
  void report(const RegionReport& report);
  void gate(const GateVerdict& verdict, RegionId id);
  void command(const AdaptationCommand& command);
  void outcome(const Outcome& outcome);
  void strategy(const StrategyPart& part);

  HostDescription host_;
  std::vector<Region> regions_;
  std::vector<ScaffoldAccount> scaffolds_;
  std::vector<TroubleAccount> troubles_;
  Window window_;
};

}  // namespace esper
