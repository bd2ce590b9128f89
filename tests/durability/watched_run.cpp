#include "tests/durability/watched_run.hpp"

#include "gpu/checkpoint_folder.hpp"
#include "sim/seen_turn.hpp"

namespace esper {

std::string WatchedRun::look() {
  if (!std::filesystem::exists(run_ / "journal.db")) return entries_ == 0 ? "" : "no journal";
  if (auto wrong = look_at_journal(); !wrong.empty()) return wrong;
  checkpoint_ = 0;
  for (const auto& found : find_checkpoints((run_ / "checkpoints").string())) {
    if (!found.place) return found.problem;
    if (found.place->journal_sequence > entries_)
      return found.file + " knows entries that the journal lacks";
    checkpoint_ = found.place->checkpoint;
  }
  return "";
}

std::string WatchedRun::look_at_journal() {
  const auto file = run_ / "journal.db";
  const auto check = Journal::verify(file);
  if (!check.holds()) return check.problem + ", first broken " + std::to_string(check.first_broken);
  const auto opened = Journal::open(file);
  if (!opened) return opened.refusal().sentence;
  const auto& journal = *opened.value();
  // The chain's hash of an entry is one of all before it.
  if (check.entries < entries_ || (entries_ > 0 && journal.head_at(entries_) != head_))
    return "entries that were there before are gone or other ones";
  const Window last = journal.last_window();
  for (Window window{turn_ + 1}; window <= last; window = window + 1)
    if (const auto turn = journal.read(window, window); !turn.empty())
      ledger_.take(sim::seen_turn(turn));
  if (!findings_.clean())
    return findings_.found().front().invariant + ": " + findings_.found().front().what;
  entries_ = check.entries;
  head_ = check.head_hash;
  turn_ = last.value;
  return look_at_witness(journal);
}

std::string WatchedRun::look_at_witness(const Journal& journal) {
  std::ifstream lines{witness_};
  lines.seekg(told_);
  for (std::string line; std::getline(lines, line);) {
    told_ += static_cast<std::streamoff>(line.size()) + 1;
    std::istringstream words{line};
    std::string what, head;
    std::uint64_t turn = 0, sequence = 0;
    words >> what >> turn >> sequence >> head;
    if (what != "turn") continue;
    ++acknowledged_;
    if (sequence > entries_ || journal.head_at(sequence) != head)
      return "turn " + std::to_string(turn) +
             " took effect, and the journal has it no more: told \"" + line + "\", " +
             std::to_string(entries_) + " entries, hash " + journal.head_at(sequence);
  }
  return "";
}

}  // namespace esper
