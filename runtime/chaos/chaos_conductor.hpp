#pragma once
// Injects one rehearsal's faults into a living run, each at its instant, and heals what lasts: by
// itself, whoever asked for it and wherever they are.
#include <functional>
#include <memory>
#include <thread>

#include "actors/override_desk.hpp"
#include "messages/control.hpp"
#include "runtime/chaos/chaos_account.hpp"
#include "runtime/chaos/chaos_seams.hpp"
#include "runtime/chaos/live_faults.hpp"

namespace esper {

/// The running tree as faults reach it.
struct ChaosReach {
  std::function<KillAnswer(Role role, RegionId region, std::uint32_t others_down_max)> kill;
  Executor* executor{};
  LiveShape shape;
  HostDescription host;
  Log* log{};
};

/// Safe from any thread. Outlives the tree, and whoever hangs in it.
class ChaosConductor {
 public:
  static constexpr std::size_t faults_max = 256;

  explicit ChaosConductor(OverrideDesk& overrides) : overrides_(overrides) {}
  ~ChaosConductor();
  ChaosConductor(const ChaosConductor&) = delete;
  ChaosConductor& operator=(const ChaosConductor&) = delete;

  [[nodiscard]] Result<ChaosAccount, ChaosRefusal> begin(const ChaosOrder& order);
  /// Of the newest; nothing: there was none.
  [[nodiscard]] std::optional<ChaosAccount> account() const;
  /// All heals now.
  void heal(const std::string& why);

  // The launcher.
  [[nodiscard]] ChaosDesk& desk() { return desk_; }
  /// The seams as the tree is to see them; they live as long as this does.
  [[nodiscard]] JournalStore& seam(JournalStore& journal);
  [[nodiscard]] Executor& seam(Executor& executor);
  /// The tree stands.
  void attach(ChaosReach reach);
  /// It is about to fall: all heals, and nothing more is begun.
  void detach();

 private:
  void conduct(const std::stop_token& stop);
  /// True: all is over.
  [[nodiscard]] bool look();
  void go_on(std::size_t place, std::uint64_t elapsed_ms);
  void strike(std::size_t place);
  [[nodiscard]] bool kill(const Fault& fault, std::string& note);
  [[nodiscard]] bool kill_all();
  [[nodiscard]] bool give_override(const Fault& fault);
  void set(std::size_t place, FaultState state, const std::string& note = "");
  [[nodiscard]] InjectedFault injected(std::size_t place) const;
  [[nodiscard]] std::uint64_t elapsed_ms() const;
  [[nodiscard]] std::uint64_t windows_in(std::uint64_t duration_ms) const;
  void end(const std::string& why);
  void log(LogLevel level, std::string_view event, const std::string& details) const;

  OverrideDesk& overrides_;
  ChaosDesk desk_;
  std::unique_ptr<ChaosJournal> journal_;
  std::unique_ptr<ChaosExecutor> executor_;
  std::mutex conducting_;  ///< held while anything strikes: no tree falls meanwhile
  std::optional<ChaosReach> reach_;
  mutable std::mutex mutex_;
  ChaosAccount account_;
  std::vector<std::uint64_t>
      handled_at_;                       ///< by fault: handled() when its instant came; 0: not yet
  std::vector<std::uint64_t> until_ms_;  ///< by fault: until when it stands, or is not tried again
  std::chrono::steady_clock::time_point began_;
  Window opened_;  ///< when it began
  std::uint64_t chaoses_{}, numbers_{}, poisoned_{};
  std::optional<std::size_t> poisoning_;  ///< the fault that waits for a seed
  std::string heal_asked_;
  std::jthread thread_;
};

}  // namespace esper
