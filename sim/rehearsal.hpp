#pragma once
// A script of faults as JSON: what to spoil and when, and what must be seen for it to have been a
// rehearsal at all.
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/config.hpp"
#include "sim/simulation.hpp"

namespace esper::sim {

struct Rehearsal {
  std::uint32_t version{1};
  std::string name;
  std::string purpose;
  std::uint64_t seed{1};
  std::uint32_t regions{16};
  std::uint64_t windows{200};  ///< of one virtual second each
  std::vector<Fault> faults;
  std::vector<std::string> expect;  ///< rows of the coverage that may not stay empty

  static constexpr auto schema =
      record("rehearsal", field("version", &Rehearsal::version), field("name", &Rehearsal::name),
             field("purpose", &Rehearsal::purpose), field("seed", &Rehearsal::seed),
             field("regions", &Rehearsal::regions), field("windows", &Rehearsal::windows),
             field("faults", &Rehearsal::faults), field("expect", &Rehearsal::expect));
};

struct ParsedRehearsal {
  Rehearsal rehearsal;  ///< to be used only when `mistakes` is empty
  std::vector<ConfigMistake> mistakes;
};

/// Every mistake at once, each with its place and remedy. `file` names the text in them.
[[nodiscard]] ParsedRehearsal parse_rehearsal(std::string_view text, const std::string& file);
[[nodiscard]] ParsedRehearsal load_rehearsal(const std::filesystem::path& file);
/// As such a file has it.
[[nodiscard]] std::string rehearsal_text(const Rehearsal& rehearsal);

/// Runs it. A fault that never fired and a row that stayed empty are violations, too.
[[nodiscard]] SimulationResult rehearse(const Rehearsal& rehearsal, bool events_kept = false);

}  // namespace esper::sim
