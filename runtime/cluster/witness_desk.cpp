#include "runtime/cluster/witness_desk.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "messages/json.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/read_file.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

namespace {

WitnessMemory memory_in(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  try {
    return parsed<WitnessMemory>(read_file(file).value_or(""));
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + " is not what a node writes of its votes (" +
                             error.what() +
                             "): remove it once no trainer of the run is left, or bring it back");
  }
}

}  // namespace

WitnessDesk::WitnessDesk(const RunConfig& config, std::string node, std::filesystem::path file,
                         Log& log)
    : file_(std::move(file)),
      log_(log),
      kept_(memory_in(file_)),
      witness_(voters_of(config), std::move(node), kept_) {}

std::string WitnessDesk::answer(const std::string& text) {
  WitnessQuestion question;
  try {
    question = parsed<WitnessQuestion>(text);
  } catch (const std::exception& error) {
    log_.write(LogLevel::error, "no_question", nlohmann::json{{"reason", error.what()}}.dump());
    return "";
  }
  const std::lock_guard lock(mutex_);
  auto answer = witness_.answer(question);
  const auto memory = witness_.memory();
  if (memory != kept_) {
    if (write_file(file_, canonical(memory)))
      kept_ = memory;
    else
      log_.write(LogLevel::error, "vote_not_kept", "");
  }
  answer.given = answer.given && memory == kept_;
  log_.write(LogLevel::info, "vote",
             nlohmann::json{
                 {"epoch", question.epoch}, {"members", question.members}, {"given", answer.given}}
                 .dump());
  return canonical(answer);
}

}  // namespace esper
