#pragma once
// A journal in memory for tests of the actors, and quiet seams.
#include <mutex>

#include "messages/interfaces.hpp"
#include "messages/json.hpp"

namespace esper {

class MemoryJournal final : public JournalStore {
 public:
  void open_with(const Catalogue& catalogue) {
    entries_.push_back({1, {}, Role::urza, {}, 0, "Catalogue", 0, canonical(catalogue), ""});
  }
  bool append(const std::vector<JournalEntry>& entries) override {
    const std::lock_guard lock(mutex_);
    if (refuses_) return false;
    for (const auto& entry : entries) {
      if (entry.sequence != entries_.size() + 1) throw InvariantViolation("sequence has a gap");
      entries_.push_back(entry);
    }
    return true;
  }
  std::uint64_t next_sequence() const override {
    const std::lock_guard lock(mutex_);
    return entries_.size() + 1;
  }
  std::vector<JournalEntry> read(Window from, Window to) const override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    std::vector<JournalEntry> found;
    for (const auto& entry : entries_)
      if (entry.window >= from && entry.window <= to) found.push_back(entry);
    return found;
  }
  std::string head() const override { return std::to_string(next_sequence() - 1); }
  std::string head_at(std::uint64_t sequence) const override {
    return sequence > 0 && sequence < next_sequence() ? std::to_string(sequence) : "";
  }
  Window last_window() const override {
    const std::lock_guard lock(mutex_);
    return entries_.empty() ? Window{} : entries_.back().window;
  }

  void refuse(bool on) {
    const std::lock_guard lock(mutex_);
    refuses_ = on;
  }
  [[nodiscard]] std::vector<JournalEntry> entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  /// How often a role's past was read.
  [[nodiscard]] std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  [[nodiscard]] std::size_t count(std::string_view kind) const {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const auto& entry : entries_) count += entry.kind == kind;
    return count;
  }
  /// What the decision hash runs over.
  [[nodiscard]] std::string logical_text() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& entry : entries_) text += entry.kind + " " + entry.payload + "\n";
    return text;
  }
  /// Movements of Narsets' books that Tamiyo's ledger did not repeat. Not asks for a top-up: they
  /// may be refused, as when their seed left while there was no Tamiyo to answer.
  [[nodiscard]] std::vector<std::string> refused_movements() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> refused;
    for (const auto& entry : entries_)
      if (entry.kind == StrategyPart::schema.name)
        for (auto& text : parsed<StrategyPart>(entry.payload).refused)
          if (text.find(": top_up of") == std::string::npos) refused.push_back(text);
    return refused;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::size_t reads_ = 0;
  std::vector<JournalEntry> entries_;
  bool refuses_ = false;
};

struct SilentMetrics final : Metrics {
  void add(std::string_view, std::string_view, std::string_view, double) override {}
  void set(std::string_view, std::string_view, std::string_view, double) override {}
  void observe(std::string_view, std::string_view, double) override {}
};

struct SilentLog final : Log {
  void write(LogLevel, std::string_view, std::string_view) override {}
};

}  // namespace esper
