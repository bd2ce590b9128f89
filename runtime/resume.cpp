#include "runtime/resume.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

namespace esper {
namespace {

/// The exit that a report tells; nothing where there is no report.
std::optional<int> ended_with(const std::filesystem::path& report) {
  std::ifstream input{report};
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (!json.is_object() || !json.value("exit", nlohmann::json{}).is_number_integer())
    return std::nullopt;
  return json.at("exit").get<int>();
}

}  // namespace

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

Result<std::optional<ResumePoint>, ResumeFault> go_on_from(
    const std::vector<CheckpointFound>& found, const JournalBook& journal, Log& log,
    const std::function<void(const std::string&)>& tell) {
  if (journal.torn()) {
    log.write(LogLevel::warning, "journal_log_torn", "");
    tell("the journal's last transaction is torn, as after a power cut, and is passed over");
  }
  if (journal.next_sequence() == 1 && found.empty()) return std::optional<ResumePoint>{};
  const auto choice = choose_checkpoint(found, journal);
  if (!choice) return choice.refusal();
  for (const auto& problem : choice.value().passed_over) {
    log.write(LogLevel::warning, "checkpoint_passed_over",
              nlohmann::json{{"problem", problem}}.dump());
    tell("passed over: " + problem);
  }
  const auto& point = choice.value().point;
  tell(point.checkpoint.empty()
           ? "no whole checkpoint: from the first step, by the journal's commands"
           : "from " + point.checkpoint + ", window " + std::to_string(point.window.value) +
                 "; the journal ends at window " + std::to_string(journal.last_window().value));
  log.write(LogLevel::info, "run_resumes", nlohmann::json{{"checkpoint", point.checkpoint}}.dump());
  return std::optional{point};
}

std::string begin_again(const RunDirectory& directory) {
  const auto ended = ended_with(directory.report());
  if (ended == number_of(ExitCode::fine) || ended == number_of(ExitCode::degraded))
    return directory.path().string() + " has ended with exit " + std::to_string(*ended) +
           "; there is nothing to go on with";
  std::error_code ignored;
  std::filesystem::remove(directory.report(), ignored);
  return "";
}

}  // namespace esper
