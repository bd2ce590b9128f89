#include "sim/cluster_database.hpp"

namespace esper::sim::cluster {

void Database::take(NodeId from, const ReadRow& read) {
  if (read.renew && read.epoch == row_.epoch) ++row_.renewals;
  Row row{row_, read.from, {}};
  if (read.from < entries_.size())
    row.entries.assign(entries_.begin() + static_cast<std::ptrdiff_t>(read.from), entries_.end());
  world_.send(shape_.database(), from, std::move(row));
}

void Database::take(NodeId from, const Append& append) {
  const bool same = append.base + append.entries.size() == entries_.size() &&
                    std::equal(append.entries.begin(), append.entries.end(),
                               entries_.begin() + static_cast<std::ptrdiff_t>(append.base));
  const auto verdict =
      judge_append(row_, append.epoch, entries_.size(), append.base, append.entries.size(), same);
  if (verdict == AppendVerdict::append) {
    checks_.appended(append.entries, row_.epoch);
    entries_.insert(entries_.end(), append.entries.begin(), append.entries.end());
  }
  world_.send(shape_.database(), from,
              Appended{verdict, append.epoch, append.base, append.entries.size()});
}

void Database::take(NodeId from, const TakeRow& take) {
  (void)take_row(row_, take.seen, shape_.nodes[from].node);
}

}  // namespace esper::sim::cluster
