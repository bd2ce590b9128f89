// Causes, not a script: no key of the config says when or where a controller acts.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "runtime/config.hpp"

namespace esper {
namespace {

struct Key {
  std::string path;
  bool can_list_or_name{};  ///< a list or a text: it could hold a schedule or name a place
};

void collect(const nlohmann::json& object, const std::string& prefix, std::vector<Key>& keys) {
  for (const auto& [name, value] : object.at("properties").items()) {
    const std::string path = prefix + name;
    const auto type = value.value("type", "");
    keys.push_back({path, type == "array" || (type == "string" && !value.contains("enum"))});
    if (type == "object") collect(value, path + ".", keys);
    if (type == "array" && value.at("items").value("type", "") == "object")
      collect(value.at("items"), path + "[].", keys);
  }
}

std::vector<Key> config_keys() {
  std::vector<Key> keys;
  collect(nlohmann::json::parse(json_schema()), "", keys);
  return keys;
}

/// Words of time and place, as they stand between underscores and dots.
const std::set<std::string> suspicious{
    "after",  "at",      "before",   "begin",   "boundary", "cycle",  "cycles", "end",     "epoch",
    "epochs", "first",   "from",     "layer",   "layers",   "ms",     "on",     "periods", "period",
    "region", "regions", "schedule", "seconds", "slot",     "slots",  "start",  "step",    "steps",
    "tick",   "ticks",   "until",    "when",    "where",    "window", "windows"};

/// Keys with such a word, and keys whose value is a list or a text: each with what it is instead.
const std::map<std::string, std::string> explained{
    {"name", "of the run"},
    {"nodes", "which processes there are; on none of them is anything decided otherwise"},
    {"nodes[].name", "a process's"},
    {"nodes[].address", "a process's"},
    {"nodes[].roles", "what a process does"},
    {"nodes[].device", "what a replica is computed on"},
    {"cluster.certificates", "where they lie"},
    {"cluster.database", "where decisions are recorded"},
    {"cluster.pins", "which process has a Narset, not what that decides"},
    {"cluster.pins[].region", "which process has its Narset"},
    {"cluster.pins[].node", "which process has its Narset"},
    {"cluster.timeouts.heartbeat_ms", "between processes"},
    {"cluster.timeouts.suspicion_ms", "between processes"},
    {"cluster.timeouts.confirmation_ms", "between processes"},
    {"cluster.timeouts.connection_ms", "between processes"},
    {"cluster.timeouts.request_ms", "between processes"},
    {"cluster.timeouts.collective_ms", "between processes"},
    {"cluster.timeouts.ready_ms", "between processes"},
    {"data.path", "where the data lies"},
    {"model.host", "what is trained"},
    {"model.size", "what is trained"},
    {"model.regions", "the cut of the host: who is responsible for which parameters"},
    {"model.regions[].name", "the cut"},
    {"model.regions[].parameters", "the cut"},
    {"training.epochs", "how long training lasts"},
    {"training.steps_max", "how long training lasts"},
    {"training.disturbances", "what befalls the training; no controller is told"},
    {"training.disturbances[].region", "the training's, not a controller's"},
    {"training.disturbances[].at_step", "the training's, not a controller's"},
    {"training.disturbances[].steps", "the training's, not a controller's"},
    {"time.checkpoint_cycles", "a period, the same throughout"},
    {"scaffolds.stable_windows", "how many windows of success in a row"},
    {"scaffolds.wean_windows_max", "a time from the first weaning command"},
    {"scaffolds.dwell_windows", "how many clean windows in a row"},
    {"scaffolds.thrash_windows", "a time from the breaker's opening"},
    {"blueprints.add[].sunset_windows", "a time from a scaffold's graft"},
    {"time.window_steps", "a period, the same throughout"},
    {"time.cycle_windows", "a period, the same throughout"},
    {"time.shadow_every_steps", "a period, while a seed is on trial"},
    {"budget.mint_per_region", "an amount, the same for each"},
    {"budget.emergency_cycles_max", "how much the pool keeps"},
    {"budget.reservation_windows", "a time from a reservation's last outcome"},
    {"budget.weight_on_graph", "a weight of the price"},
    {"gates.calm_windows", "how many calm windows in a row"},
    {"gates.trial_windows_max", "a time from a seed's germination"},
    {"gates.ramp_windows_max", "a time from a seed's graft"},
    {"gates.stable_windows", "how many calm windows in a row"},
    {"gates.verdict_windows_max", "a time from the end of a seed's ramp"},
    {"gates.embargo_windows", "a time from a cull"},
    {"gates.alpha_stages", "how far a blend goes, one stage after the other has passed"},
    {"reflex.history_steps", "how many steps a spike is compared with"},
    {"reflex.executor_silent_windows", "a time from the executor's last sign of life"},
    {"pace.stall_ms_max", "how long lockstep waits"},
    {"compaction.layer_similarity_min", "a bound, the same for every layer"},
    {"compaction.layer_importance_max", "a bound, the same for every layer"},
    {"control.period_ms", "supervision"},
    {"control.backoff_ms_first", "supervision"},
    {"control.backoff_ms_max", "supervision"},
    {"control.retry_ms", "supervision"},
    {"control.delay_ms_max", "a delay of every handler, for tests"},
    {"blueprints.use", "designs by name, offered to every slot alike"},
    {"blueprints.add", "designs, offered to every slot alike"},
    {"blueprints.add[].name", "a design's name"},
};

std::vector<std::string> unexplained(const std::vector<Key>& keys) {
  std::vector<std::string> found;
  for (const auto& [path, can_list_or_name] : keys) {
    bool asks = can_list_or_name;
    std::string word;
    for (const char letter : path + ".") {
      if (letter != '_' && letter != '.' && letter != '[' && letter != ']') {
        word += letter;
        continue;
      }
      asks = asks || suspicious.contains(word);
      word.clear();
    }
    if (asks && !explained.contains(path)) found.push_back(path);
  }
  return found;
}

}  // namespace

SCENARIO("no config key names a time, region or slot at which a controller acts",
         "[simulation][causes]") {
  const auto keys = config_keys();
  CHECK(keys.size() > 80);
  CHECK(unexplained(keys) == std::vector<std::string>{});
  THEN("each explanation is of a key that there is") {
    std::set<std::string> paths;
    for (const auto& key : keys) paths.insert(key.path);
    for (const auto& [path, why] : explained) {
      INFO(path);
      CHECK(paths.contains(path));
    }
  }
  THEN("such a key would be found") {
    for (const char* planted :
         {"gates.germinate_at_window", "time.graft_step", "budget.favoured_region",
          "seeds.slot_first", "blueprints.add[].slot", "control.cull_after_cycles"})
      CHECK(unexplained({{planted, false}}).size() == 1);
    CHECK(unexplained({{"gates.hints", true}}).size() == 1);
  }
}

}  // namespace esper
