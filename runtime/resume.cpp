#include "runtime/resume.hpp"

namespace esper {

Result<ResumeChoice, ResumeFault> choose_checkpoint(const std::vector<CheckpointFound>& found,
                                                    const JournalBook& journal) {
  ResumeChoice choice;
  for (auto next = found.rbegin(); next != found.rend(); ++next) {
    if (!next->place) {
      choice.passed_over.push_back(next->problem);
      continue;
    }
    const CheckpointPlace& place = *next->place;
    if (place.journal_sequence >= journal.next_sequence())
      return ResumeFault{ExitCode::invariant,
                         next->file + " was cut at entry " +
                             std::to_string(place.journal_sequence) + ", and the journal ends at " +
                             std::to_string(journal.next_sequence() - 1) + ": its tail is missing"};
    // Without a hash: it was cut when Kasmina had just come back, and knew the sequence alone.
    if (!place.journal_head.empty() &&
        journal.head_at(place.journal_sequence) != place.journal_head)
      return ResumeFault{ExitCode::invariant,
                         next->file + " knows another hash of entry " +
                             std::to_string(place.journal_sequence) +
                             ": it is of another run, or the journal was rewritten"};
    choice.point = {next->file, place.window};
    break;
  }
  return choice;
}

}  // namespace esper
