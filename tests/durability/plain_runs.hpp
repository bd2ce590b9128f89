#pragma once
// Runs of the real `esper` with the trainer without tensors beside it, to be killed and resumed.
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/config.hpp"
#include "runtime/run_directory.hpp"
#include "sim/host.hpp"
#include "tests/plain/trainer.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"

namespace esper {

inline constexpr int killed_code = 128 + SIGKILL;
/// Of a plain run's cycle.
inline constexpr std::uint32_t plain_cycle_windows = 4;

[[nodiscard]] inline bool can_run_plain() {
  if (!can_run()) return false;
  if (std::filesystem::exists(binary.parent_path() / "plain/libesper_gpu.so")) return true;
  cannot_run_here("plain/libesper_gpu.so is not built");
  return false;
}

/// Set for a child's life: the next process has it.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) : values_(values) {
    for (const auto& [name, value] : values_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : values_) unsetenv(name.c_str());
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::map<std::string, std::string> values_;
};

struct Ended {
  int code{};
  std::string err;
};

/// What a run came to.
struct Came {
  std::string weights, decisions;
  bool reproducible{};
  friend bool operator==(const Came&, const Came&) = default;
};
[[nodiscard]] inline Came came_to(const std::filesystem::path& run) {
  const auto report = nlohmann::json::parse(file_text(run / "report.json"));
  return {report.at("weights_hash"), report.at("journal_hash"), report.at("reproducible")};
}

/// Seeds grow, scaffolds come and go, channels are cut; a checkpoint closes every fourth window.
[[nodiscard]] inline RunConfig plain_config(std::uint64_t seed, std::uint32_t windows) {
  RunConfig config = sim::simulated_config(seed);
  config.name = "plain";
  config.pace.mode = Pace::lockstep;
  config.pace.stall_ms_max = 60'000;
  config.allocation.policy = AllocationPolicy::bandit;
  config.budget.mint_per_region = 60;
  config.compaction.importance_lost_max = 0.05;
  config.compaction.operations_share_min = 0.2;
  config.time.cycle_windows = plain_cycle_windows;
  config.time.checkpoint_cycles = 1;
  config.training.steps_max = windows * config.time.window_steps;
  config.baselines = {.host = false, .widened = false, .scratch = false, .uncut = false};
  return config;
}

/// All but the socket that a killed run leaves behind.
inline void copy_run(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator{from}) {
    const auto there = to / entry.path().filename();
    if (entry.is_directory())
      copy_run(entry.path(), there);
    else if (entry.is_regular_file())
      fs::copy_file(entry.path(), there, fs::copy_options::overwrite_existing);
  }
}

class PlainRuns {
 public:
  explicit PlainRuns(const RunConfig& config) {
    std::filesystem::create_directory(folder_ / "bin");
    std::filesystem::copy_file(binary, folder_ / "bin/esper");
    std::filesystem::create_symlink(binary.parent_path() / "plain/libesper_gpu.so",
                                    folder_ / "bin/libesper_gpu.so");
    write_text(folder_ / "config.json", effective_config(config));
  }

  [[nodiscard]] const ScratchFolder& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return folder_ / name;
  }
  [[nodiscard]] std::filesystem::path executable() const { return folder_ / "bin/esper"; }
  [[nodiscard]] static std::vector<std::string> resume(const std::string& run) {
    return {"run", "--resume", run};
  }
  [[nodiscard]] std::vector<std::string> begin(const std::string& run) const {
    return {"run", (folder_ / "config.json").string(), "--out", run};
  }
  /// What the trainers of all the run's processes saw.
  [[nodiscard]] std::filesystem::path witness(const std::string& run) const {
    return folder_ / (std::filesystem::path{run}.filename().string() + ".witness");
  }

  /// One process to its end; 137 when it was killed.
  [[nodiscard]] Ended ended(const std::vector<std::string>& arguments,
                            const std::string& failpoint = "") const {
    Process process{start(arguments, failpoint)};
    const int code = process.wait();
    return {code, process.err()};
  }
  [[nodiscard]] Process start(const std::vector<std::string>& arguments,
                              const std::string& failpoint = "", int window_ms = 0) const {
    const Environment environment{{{"ESPER_FAILPOINT", failpoint},
                                   {plain::witness_variable, witness(arguments.back()).string()},
                                   {plain::window_ms_variable, std::to_string(window_ms)}}};
    return Process{executable(), arguments, folder_};
  }
  /// One process to its end, by the run's own name whether it has begun or not.
  [[nodiscard]] Ended go_on(const std::string& run, const std::string& failpoint = "") const {
    const bool begun = std::filesystem::exists(folder_ / run / "config.json");
    return ended(begun ? resume(run) : begin(run), failpoint);
  }

 private:
  ScratchFolder folder_;
};

}  // namespace esper
