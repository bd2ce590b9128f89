// A broken promise is found on a living run: the same drill, with rules that are right and with one
// that is spoilt.
#include <thread>

#include <catch2/catch.hpp>

#include "actors/decisions/planted.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/training_run.hpp"
#include "sim/command.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

/// A whole run beside this thread, which ends when this does.
class LivingRun {
 public:
  LivingRun(const RunConfig& config, const std::filesystem::path& folder) : folder_(folder) {
    thread_ = std::jthread([this, config] {
      const auto library = load_gpu_library(binary_directory());
      auto directory = RunDirectory::create(config, folder_);
      if (!library || !directory) return;
      ProgressLine progress;
      report_ = train_and_report(config, *library.value(), directory.value(), stop_, progress);
    });
  }
  ~LivingRun() { stop_ = true; }
  LivingRun(const LivingRun&) = delete;
  LivingRun& operator=(const LivingRun&) = delete;

 private:
  std::filesystem::path folder_;
  std::atomic<bool> stop_{false};
  RunReport report_;
  std::jthread thread_;
};

/// Once the run listens and has its actors.
ExitCode chaos(const std::filesystem::path& run, const std::filesystem::path& drill) {
  ChaosOptions options;
  options.directory = run;
  options.rehearsal = drill.string();
  options.blast = 20;
  auto exit = ExitCode::unreachable;
  for (int i = 0; i < 600; ++i) {
    exit = command_chaos(options);
    if (exit != ExitCode::unreachable && exit != ExitCode::usage) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return exit;
}

}  // namespace

SCENARIO("a promise that breaks on a living run ends its rehearsal with exit 5",
         "[chaos][planted][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  // The pause befalls the first turn that comes by, and a busy machine's may take seconds.
  write_text(folder / "drill.json", R"({"version": 1, "name": "drill", "faults": [
    {"kind": "kill", "target": "narset.0", "at_ms": 1000},
    {"kind": "pause", "target": "tamiyo", "at_ms": 2000, "duration_ms": 5000}]})");
  auto config = load_config(small, {"training.steps_max=1000000", "training.epochs=10000",
                                    "training.warmup_share=0", "control.period_ms=2000"})
                    .config;
  const bool spoilt = GENERATE(false, true);
  planted_now = spoilt ? Planted::throttle_sign : Planted::none;
  {
    const LivingRun run(config, folder / "run");
    CHECK(chaos(folder / "run", folder / "drill.json") ==
          (spoilt ? ExitCode::invariant : ExitCode::fine));
  }
  planted_now = Planted::none;
}

}  // namespace esper
