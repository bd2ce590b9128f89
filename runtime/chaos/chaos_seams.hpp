#pragma once
// The two seams beside a control plane at which faults can strike: its journal's disk, and the
// executor that takes its turns.
#include "actors/chaos_desk.hpp"
#include "messages/interfaces.hpp"

namespace esper {

class ChaosJournal final : public JournalStore {
 public:
  ChaosJournal(JournalStore& inner, ChaosDesk& desk) : inner_(inner), desk_(desk) {}
  /// Errors: throws std::runtime_error, which ends the writer, where it is to die.
  [[nodiscard]] bool append(const std::vector<JournalEntry>& entries) override;
  [[nodiscard]] std::uint64_t next_sequence() const override { return inner_.next_sequence(); }
  [[nodiscard]] std::vector<JournalEntry> read(Window from, Window to) const override {
    return inner_.read(from, to);
  }
  [[nodiscard]] std::vector<JournalEntry> read_chosen(Window from, Window to,
                                                      const EntryChoice& choice) const override {
    return inner_.read_chosen(from, to, choice);
  }
  [[nodiscard]] Window last_window() const override { return inner_.last_window(); }
  [[nodiscard]] std::string head() const override { return inner_.head(); }
  [[nodiscard]] std::string head_at(std::uint64_t sequence) const override {
    return inner_.head_at(sequence);
  }

 private:
  JournalStore& inner_;
  ChaosDesk& desk_;
};

class ChaosExecutor final : public Executor {
 public:
  ChaosExecutor(Executor& inner, ChaosDesk& desk) : inner_(inner), desk_(desk) {}
  [[nodiscard]] bool next_window(WindowReport& report,
                                 std::chrono::milliseconds patience) override {
    return inner_.next_window(report, patience);
  }
  void finish_window(Window window) override { inner_.finish_window(window); }
  void wake() override { inner_.wake(); }
  [[nodiscard]] bool release(const TurnRelease& turn) override;
  [[nodiscard]] Window released() const override { return inner_.released(); }
  void catch_up(Window until) override { inner_.catch_up(until); }
  void fence(RegionId region, Epoch epoch) override { inner_.fence(region, epoch); }
  [[nodiscard]] std::vector<SeedStatus> seeds() const override { return inner_.seeds(); }
  [[nodiscard]] std::optional<ImportanceReport> measure_importance(
      std::uint64_t checkpoint) override {
    return inner_.measure_importance(checkpoint);
  }
  void set_control_alive(bool alive) override { inner_.set_control_alive(alive); }
  void poison(std::optional<RegionId> region) override { inner_.poison(region); }
  [[nodiscard]] std::uint64_t poisoned() const override { return inner_.poisoned(); }

 private:
  Executor& inner_;
  ChaosDesk& desk_;
};

}  // namespace esper
