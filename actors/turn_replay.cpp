#include "actors/turn_replay.hpp"

#include "actors/decisions/pruning_planner.hpp"

namespace esper {

std::optional<RegionPart> decide_again(Tactics& tactics, const TurnRecord& record, Epoch& before) {
  const RegionTurn& turn = record.input.value();
  if (!record.present) {
    miss(tactics, turn);
    return std::nullopt;
  }
  std::optional<std::vector<SeedStatus>> read_back;
  if (before.value > 0 && record.epoch != before) read_back = record.read_back;
  before = record.epoch;
  return decide(tactics, turn, record.epoch, read_back);
}

std::optional<StrategyPart> decide_again(Strategy& strategy, const TurnRecord& record) {
  if (record.present) return decide(strategy, record.reports.value(), record.epoch);
  miss(strategy, record.reports.value());
  return std::nullopt;
}

TurnReplay::TurnReplay(RunConfig config, HostDescription host, const Catalogue& catalogue,
                       const PlantingTactic& planting)
    : config_(std::move(config)),
      host_(std::make_shared<const HostDescription>(std::move(host))),
      epochs_(host_->regions.size()),
      strategy_(strategy_settings(config_, *host_)) {
  for (std::uint32_t region = 0; region < host_->regions.size(); ++region)
    tactics_.emplace_back(RegionId{region}, tactics_settings(config_, planting), host_, catalogue);
}

ClosedTurn TurnReplay::again(const ClosedTurn& turn) {
  ClosedTurn decided = turn;
  const auto answers = before_ ? before_->answers : std::vector<Answers>{};
  decided.parts.clear();
  for (std::size_t region = 0; region < tactics_.size(); ++region) {
    const RegionId id{static_cast<std::uint32_t>(region)};
    if (auto part =
            decide_again(tactics_[region], narset_record(turn, id, answers), epochs_[region]))
      decided.parts.emplace(id, std::move(*part));
  }
  if (turn.pruning) decided.pruning = plan_again(turn);
  decided.strategy = decide_again(strategy_, tamiyo_record(turn));
  before_ = turn.strategy;
  return decided;
}

PruningPart TurnReplay::plan_again(const ClosedTurn& turn) const {
  const auto& time = config_.time;
  const std::uint64_t next =
      checkpoint_at(turn.report.window + 1, time.cycle_windows, time.checkpoint_cycles);
  // Why importance is not there is what Elesh, or the clock, said: an input.
  return plan_pruning(planning_turn(turn, before_, next > 0 ? next - 1 : 0),
                      turn.pruning->importance, turn.pruning->reason, config_, *host_);
}

}  // namespace esper
