#pragma once
// Points at which a test may kill the process, to see that nothing is lost. Compiled in always: one
// relaxed load while none is armed.
//
// Here is the mechanism alone, so that gpu/ and runtime/ share it; what arms it is read from the
// environment by whoever owns an entry point: `esper`'s main, and libesper_gpu.so's, which has a
// copy of this state of its own where it was loaded by dlopen.
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

#include <unistd.h>

#include "messages/schema.hpp"

namespace esper {

enum class Failpoint : std::uint8_t {
  surgery,    ///< channels are cut, behind a hot checkpoint, and not verified yet
  fossilise,  ///< a seed's modules are the host's, its parameters not yet its optimizer's
  ramp,       ///< a step whose alpha is on its way
  // Of several replicas.
  collective,  ///< the step's sum is about to begin
  prepared,  ///< all know what a boundary is to change, and this one has not said that it is ready
  // A journal's transaction, in its order.
  journal_begin,      ///< before it
  journal_insert,     ///< half of its entries are in
  journal_commit,     ///< all are, and it is not committed
  journal_sync,       ///< the log is written to its end, and not synced
  journal_torn,       ///< the machine fails: half of what was not synced is lost
  journal_synced,     ///< the log is synced, and the transaction's end not told
  journal_fold,       ///< a page of the log is half written back into the database
  journal_committed,  ///< committed, and nobody was told
  journal_seal,       ///< the log is folded in, and still there
  report,             ///< the journal is sealed, and no report says so
  // A checkpoint's file, in its order.
  checkpoint_begin,    ///< before it
  checkpoint_half,     ///< half of it is written under its temporary name
  checkpoint_sync,     ///< all is, and not synced
  checkpoint_synced,   ///< synced, and not read back
  checkpoint_rename,   ///< read back, and not renamed
  checkpoint_renamed,  ///< renamed, and the folder not synced
  checkpoint_written,  ///< it is there, and so are those that it makes superfluous
};
ESPER_ENUM_NAMES(Failpoint, "surgery", "fossilise", "ramp", "collective", "prepared",
                 "journal_begin", "journal_insert", "journal_commit", "journal_sync",
                 "journal_torn", "journal_synced", "journal_fold", "journal_committed",
                 "journal_seal", "report", "checkpoint_begin", "checkpoint_half", "checkpoint_sync",
                 "checkpoint_synced", "checkpoint_rename", "checkpoint_renamed",
                 "checkpoint_written");

/// Read by gpu/factory and runtime/main.
inline constexpr const char* failpoint_variable = "ESPER_FAILPOINT";

struct ArmedFailpoint {
  std::atomic<std::uint32_t> point{0};  ///< 1 + the armed one; 0: none
  std::atomic<std::uint64_t> left{0};   ///< passings until it kills
};
inline ArmedFailpoint armed_failpoint;

/// `text`: NAME or NAME:COUNT; the COUNT-th passing kills, counted from 1. Empty: none is armed.
/// Returns one sentence when it says something else, and arms nothing.
[[nodiscard]] inline std::string arm_failpoint(std::string_view text) {
  armed_failpoint.point = 0;
  if (text.empty()) return {};
  const auto colon = text.find(':');
  const auto point = enum_from<Failpoint>(text.substr(0, colon));
  std::uint64_t count = 1;
  if (colon != std::string_view::npos) {
    const auto number = text.substr(colon + 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
    if (read.ec != std::errc{} || read.ptr != number.data() + number.size()) count = 0;
  }
  if (!point || count == 0) {
    std::string known;
    for (const auto name : EnumNames<Failpoint>::values)
      known += (known.empty() ? "" : ", ") + std::string{name};
    return std::string{failpoint_variable} + "=" + std::string{text} +
           " is not NAME or NAME:COUNT with a count from 1 and one of the names " + known;
  }
  armed_failpoint.left = count;
  armed_failpoint.point = 1 + static_cast<std::uint32_t>(*point);
  return {};
}

[[nodiscard]] inline bool is_armed(Failpoint point) {
  return armed_failpoint.point.load(std::memory_order_relaxed) ==
         1 + static_cast<std::uint32_t>(point);
}

/// This passing is the one that was asked for.
[[nodiscard]] inline bool due(Failpoint point) {
  return is_armed(point) && armed_failpoint.left.fetch_sub(1) == 1;
}

/// As by kill -9; standard error says where.
inline void end_at(Failpoint point) {
  const std::string said = "failpoint " + std::string{name_of(point)} + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, said.data(), said.size());
  ::kill(::getpid(), SIGKILL);
}

inline void pass(Failpoint point) {
  if (due(point)) end_at(point);
}

}  // namespace esper
