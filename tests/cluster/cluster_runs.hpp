#pragma once
// Runs of the real `esper` on several nodes of this machine, the trainer without tensors beside it.
#include "messages/cluster.hpp"
#include "runtime/cluster/child_processes.hpp"
#include "tests/cluster/comes_true.hpp"
#include "tests/cluster/ports.hpp"
#include "tests/durability/plain_runs.hpp"

namespace esper {

/// plain_config on a prime that trains and two nodes that take Narsets.
[[nodiscard]] inline RunConfig cluster_config(std::uint64_t seed, std::uint32_t windows) {
  auto config = plain_config(seed, windows);
  for (const char* name : {"a", "b", "c"})
    config.nodes.push_back({.name = name, .port = free_port(), .roles = {NodeRole::narsets}});
  config.nodes.front().roles = {NodeRole::prime, NodeRole::trainer};
  return config;
}

[[nodiscard]] inline std::vector<NodeStanding> nodes_in(const nlohmann::json& json) {
  std::vector<NodeStanding> nodes;
  from_json(json.at("nodes"), nodes);
  return nodes;
}

/// A run that `esper up` started; whatever becomes of the test, nothing of it stays.
class UpRun {
 public:
  UpRun(const PlainRuns& runs, const std::string& name, int window_ms)
      : runs_(runs), run_((runs / name).string()) {
    const Environment environment{{{plain::window_ms_variable, std::to_string(window_ms)},
                                   {plain::witness_variable, runs.witness(run_).string()}}};
    const ScratchFolder elsewhere;
    Process up{
        runs.executable(), {"up", (runs / "config.json").string(), "--out", run_}, elsewhere};
    code_ = up.wait();
    err_ = up.err();
  }
  ~UpRun() { (void)down(); }
  UpRun(const UpRun&) = delete;
  UpRun& operator=(const UpRun&) = delete;

  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const std::string& err() const { return err_; }
  [[nodiscard]] std::filesystem::path folder() const { return run_; }
  int down() { return says({"down", run_}).code; }

  struct Said {
    int code{};
    std::string out, err;
  };
  [[nodiscard]] Said says(const std::vector<std::string>& arguments) const {
    const ScratchFolder elsewhere;
    Process process{runs_.executable(), arguments, elsewhere};
    const int code = process.wait();
    return {code, process.out(), process.err()};
  }
  /// Empty while it does not answer.
  [[nodiscard]] std::vector<NodeStanding> nodes() const {
    const auto said = says({"status", run_, "-o", "json"});
    return said.code == 0 ? nodes_in(nlohmann::json::parse(said.out)) : std::vector<NodeStanding>{};
  }
  [[nodiscard]] std::uint64_t window() const {
    const auto said = says({"status", run_, "-o", "json"});
    return said.code == 0
               ? nlohmann::json::parse(said.out).at("run").at("window").get<std::uint64_t>()
               : 0;
  }
  [[nodiscard]] pid_t process_of(const std::string& node) const {
    const auto all = nlohmann::json::parse(file_text(folder() / "nodes/processes.json"));
    for (const auto& one : all)
      if (one.at("node") == node) return one.at("process").get<pid_t>();
    return 0;
  }

 private:
  const PlainRuns& runs_;
  std::string run_;
  int code_{};
  std::string err_;
};

}  // namespace esper
