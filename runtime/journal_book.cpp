#include "runtime/journal_book.hpp"

#include <nlohmann/json.hpp>

#include "runtime/database_error.hpp"
#include "runtime/digest.hpp"

namespace esper {
namespace {

void add(std::string& bytes, std::string_view text) {
  bytes += std::to_string(text.size());
  bytes += ':';
  bytes += text;
}

/// Lengths stand before the texts, so no two entries give the same bytes.
std::string logical_bytes(const JournalEntry& entry) {
  std::string bytes;
  add(bytes, std::to_string(entry.window.value));
  add(bytes, name_of(entry.role));
  add(bytes, std::to_string(entry.region.value));
  add(bytes, std::to_string(entry.ordinal));
  add(bytes, entry.kind);
  add(bytes, entry.payload);
  return bytes;
}

}  // namespace

JournalHashes followed_by(const JournalHashes& before, const JournalEntry& entry) {
  const auto logical = logical_bytes(entry);
  std::string rest;
  add(rest, std::to_string(entry.sequence));
  add(rest, std::to_string(entry.cause));
  add(rest, entry.measured);
  return {sha256(before.head + logical + rest), sha256(before.decision + logical)};
}

bool JournalBook::append(const std::vector<JournalEntry>& entries) {
  refusal_.clear();
  if (!writable_) {
    refusal_ = deposed() ? "deposed: another process leads this journal now"
                         : "sealed or opened for reading";
    return false;
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].sequence != next_sequence() + i)
      throw InvariantViolation("journal entries with a gap in their sequence");
  if (entries.empty()) return true;
  const auto start = std::chrono::steady_clock::now();
  bool written = false;
  try {
    hashes_ = commit(entries);
    entries_ += entries.size();
    written = true;
  } catch (const DatabaseError& error) {
    refusal_ = error.what();
  }
  tell(written, std::chrono::steady_clock::now() - start, entries.size());
  if (written && follower_) follower_(entries);
  return written;
}

void JournalBook::watch(Metrics& metrics, Log& log) {
  metrics_ = &metrics;
  log_ = &log;
}

void JournalBook::tell(bool written, std::chrono::duration<double> took, std::size_t entries) {
  if (metrics_ == nullptr) return;
  const auto role = name_of(Role::journal);
  metrics_->observe("esper_journal_append_seconds", role, took.count());
  if (written) metrics_->add("esper_journal_entries_total", role, "", static_cast<double>(entries));
  if (refused_ == !written) return;
  refused_ = !written;
  log_->write(refused_ ? LogLevel::error : LogLevel::warning,
              refused_ ? "disk_refuses" : "disk_takes_again",
              nlohmann::json{{"file", place()}, {"reason", refusal_}}.dump());
}

}  // namespace esper
