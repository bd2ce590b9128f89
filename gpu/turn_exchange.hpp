#pragma once
// Where trainer and control side meet. No tensor and no actor type here. The trainer's calls take
// no lock, allocate nothing while nothing happens, and never wait but in await_turn.
#include <array>
#include <memory>
#include <mutex>

#include "actors/decisions/take_over.hpp"
#include "gpu/semaphore.hpp"
#include "gpu/session_memory.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// Control side: any thread. Trainer side: one thread.
class TurnExchange final : public Executor {
 public:
  static constexpr std::size_t windows_unread_max = 8;
  static constexpr std::size_t turns_waiting_max = 16;

  explicit TurnExchange(std::uint32_t regions);

  // Control side; see messages/interfaces.hpp.
  [[nodiscard]] bool next_window(WindowReport& report, std::chrono::milliseconds patience) override;
  void finish_window(Window window) override;
  void wake() override;
  [[nodiscard]] bool release(const TurnRelease& turn) override;
  [[nodiscard]] Window released() const override;
  void catch_up(Window until) override;
  void fence(RegionId region, Epoch epoch) override;
  [[nodiscard]] std::vector<SeedStatus> seeds() const override;
  void set_control_alive(bool alive) override;
  [[nodiscard]] std::optional<ImportanceReport> measure_importance(
      std::uint64_t checkpoint) override;
  void poison(std::optional<RegionId> region) override;
  [[nodiscard]] std::uint64_t poisoned() const override { return poisoned_.load(); }

  // Trainer side.
  /// The region in which a seed is to be poisoned; nothing: none is.
  [[nodiscard]] std::optional<RegionId> poison_asked() const {
    const auto asked = poison_.load(std::memory_order_relaxed);
    return asked == 0 ? std::nullopt : std::optional<RegionId>{RegionId{asked - 1}};
  }
  /// It was, there.
  void poison_done(RegionId region);
  /// The report under way: emptied, its vectors keep their memory.
  [[nodiscard]] WindowReport& draft() { return draft_; }
  /// Hands the draft over and empties it. With no free cell it takes over from the newest unread
  /// window, so the reader always finds the latest one and loses no outcome.
  void publish();
  /// As publish(), but nobody reads it before settle(): of several replicas one may have closed a
  /// window that no other has, and what it told would be undone with it.
  void hold();
  /// What is held goes out.
  void settle();
  /// What is held never was. True: a window was.
  bool withdraw();
  /// The next turn handed over, in order, that is not of a later window than `newest` and not of a
  /// later boundary than the one after it; false: none waits.
  [[nodiscard]] bool poll(TurnRelease& turn, Window newest);
  /// Waits until `turn` was handed over, at most `patience`, and only while the control side lives
  /// and `stop` (may be null) is false. True: it is there.
  [[nodiscard]] bool await_turn(Window turn, std::chrono::milliseconds patience,
                                const std::atomic<bool>* stop);
  /// The trainer waits at this boundary in either pace.
  [[nodiscard]] bool catching_up(Window boundary) const {
    return boundary.value <= caught_up_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool control_alive() const { return alive_.load(std::memory_order_acquire); }
  /// A control side is beside this trainer, alive or not.
  [[nodiscard]] bool attended() const { return attended_.load(std::memory_order_acquire); }
  /// None is, until one says that it lives.
  void leave_unattended();
  /// Without one: what the control side beside another replica has in its journal, and its fences,
  /// so that one can begin here. Reports of turns that are released are not needed any more.
  void follow(Window released, const std::vector<Epoch>& fences);
  /// Commands of that region below this epoch are fenced out.
  [[nodiscard]] Epoch fence_of(RegionId region) const;
  /// Raised by the trainer too, when it meets a newer epoch in a command.
  void raise_fence(RegionId region, Epoch epoch);
  /// What Elesh's thread calls; set before the control side starts. It must be safe beside the
  /// trainer.
  using Measure = std::function<std::optional<ImportanceReport>(std::uint64_t checkpoint,
                                                                const std::atomic<bool>& ended)>;
  void set_measure(Measure measure) { measure_ = std::move(measure); }
  /// What seeds() answers from now on. Takes a lock: call only when something changed.
  void publish_seeds(const std::vector<SeedStatus>& seeds);

  /// For a checkpoint, with the draft as its newest report. `taken`: the newest turn that was.
  [[nodiscard]] ExchangeMemory memory(Window taken);
  /// Fences, released() and seeds() of a run that goes on from a checkpoint; none goes back. The
  /// reports are left to whoever publishes them. Errors: std::runtime_error, one clause, for
  /// another number of regions.
  void remember(const ExchangeMemory& memory);

 private:
  enum class Content : std::uint8_t { empty, writing, ready, reading };
  struct Cell {
    std::atomic<Content> content{Content::empty};
    WindowReport report;
  };
  [[nodiscard]] Cell& cell(std::uint64_t position) { return cells_[position % windows_unread_max]; }
  [[nodiscard]] bool copy_first(WindowReport& report);
  void prepare(WindowReport& report) const;

  const std::uint32_t regions_;
  WindowReport draft_, held_;  // the trainer's
  bool holds_{};
  std::array<Cell, windows_unread_max> cells_;
  alignas(64) std::atomic<std::uint64_t> written_{0};   // windows; the trainer's
  alignas(64) std::atomic<std::uint64_t> finished_{0};  // windows; the reader's
  std::mutex reader_;  // among readers only: one may outlive another
  Semaphore window_ready_;
  std::atomic<bool> woken_{false};

  std::array<TurnRelease, turns_waiting_max> turns_;
  alignas(64) std::atomic<std::uint64_t> turns_given_{0};
  alignas(64) std::atomic<std::uint64_t> turns_taken_{0};
  std::mutex giver_;  // among givers only
  std::atomic<std::uint64_t> released_{0};
  std::atomic<std::uint64_t> caught_up_{0};  ///< the last boundary of a catching up
  Semaphore turn_ready_;
  std::atomic<std::uint32_t> poison_{0};  ///< 1 + the region's number; 0: none is asked
  std::atomic<std::uint64_t> poisoned_{0};
  std::atomic<bool> alive_{true}, attended_{true};
  std::unique_ptr<std::atomic<std::uint32_t>[]> fences_;

  Measure measure_;
  std::atomic<bool> ended_{false};  ///< woken: a measurement under way is not awaited
  mutable std::mutex seeds_lock_;
  std::vector<SeedStatus> seeds_;
};

}  // namespace esper
