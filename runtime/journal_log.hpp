#pragma once
// SQLite's write-ahead log, read as bytes. From a frame that is wrong on SQLite passes over all
// that follows, and says nothing: as it must after a power cut, whose last transaction may be torn.
// But every transaction was synced before the next one was written. So what is wrong before another
// transaction was lost after it was acknowledged.
#include <filesystem>
#include <string>

namespace esper {

struct LogCheck {
  std::string damage;  ///< one sentence with the path; "": nothing that was acknowledged is lost
  bool torn{};         ///< the last transaction is not whole: it was never acknowledged, or damaged
};

/// The log beside that database; without one nothing is wrong. May be read while it is written to.
[[nodiscard]] LogCheck check_log(const std::filesystem::path& database);

}  // namespace esper
