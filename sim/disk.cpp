#include "sim/disk.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/digest.hpp"

namespace esper::sim {

void SimulatedDisk::open(std::vector<JournalEntry> entries) { write(entries); }

void SimulatedDisk::heal() { next_ = DiskTrouble::none; }

void SimulatedDisk::write(const std::vector<JournalEntry>& entries) {
  for (const auto& entry : entries) {
    if (entry.sequence != entries_.size() + 1)
      throw InvariantViolation("entry " + std::to_string(entry.sequence) + " does not follow " +
                               std::to_string(entries_.size()));
    Digest digest;
    digest.add(heads_.empty() ? 0 : heads_.back());
    digest.add(entry.kind);
    digest.add(entry.cause);
    digest.add(entry.payload);
    heads_.push_back(digest.value());
    entries_.push_back(entry);
  }
  written_(entries);
}

bool SimulatedDisk::append(const std::vector<JournalEntry>& entries) {
  const auto now = next_;
  if (now == DiskTrouble::none) {
    write(entries);
    return true;
  }
  if (now != DiskTrouble::full) next_ = DiskTrouble::none;
  if (struck) struck(now);
  switch (now) {
    case DiskTrouble::full:
      return false;
    case DiskTrouble::slow:
      write(entries);
      if (wait) wait();
      return true;
    case DiskTrouble::crash_after:
      write(entries);
      break;
    default:  // torn: what has no commit behind it is cut off when the journal is opened again
      break;
  }
  throw std::runtime_error("the journal's writer died: " + std::string{name_of(now)});
}

std::vector<JournalEntry> SimulatedDisk::read(Window from, Window to) const {
  const auto begin = std::partition_point(entries_.begin(), entries_.end(),
                                          [&](const auto& entry) { return entry.window < from; });
  const auto end = std::partition_point(begin, entries_.end(),
                                        [&](const auto& entry) { return entry.window <= to; });
  return {begin, end};
}

Window SimulatedDisk::last_window() const {
  return entries_.empty() ? Window{} : entries_.back().window;
}

std::string SimulatedDisk::head() const { return head_at(entries_.size()); }

std::string SimulatedDisk::head_at(std::uint64_t sequence) const {
  return sequence == 0 || sequence > heads_.size() ? "" : std::to_string(heads_[sequence - 1]);
}

}  // namespace esper::sim
