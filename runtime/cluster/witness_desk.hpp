#pragma once
// A node's votes on which trainers go on (actors/decisions/witness.hpp), with its memory of them in
// a file.
#include <filesystem>
#include <mutex>

#include "actors/decisions/witness.hpp"
#include "messages/interfaces.hpp"

namespace esper {

class WitnessDesk {
 public:
  /// Errors: throws std::runtime_error, one sentence, when the file is there and can't be read.
  WitnessDesk(const RunConfig& config, std::string node, std::filesystem::path file, Log& log);

  /// A WitnessQuestion's JSON to a WitnessAnswer's. No vote leaves before it is on the disk: what
  /// can't be written is not given. "": that was no question.
  [[nodiscard]] std::string answer(const std::string& question);

 private:
  std::filesystem::path file_;
  Log& log_;
  std::mutex mutex_;    ///< gates of two lives may overlap
  WitnessMemory kept_;  ///< what is in the file
  Witness witness_;
};

}  // namespace esper
