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
  surgery,            ///< channels are cut, behind a hot checkpoint, and not verified yet
  fossilise,          ///< a seed's modules are the host's, its parameters not yet its optimizer's
  checkpoint_rename,  ///< the file is written and synced under its temporary name
  ramp,               ///< a step whose alpha is on its way
};
ESPER_ENUM_NAMES(Failpoint, "surgery", "fossilise", "checkpoint_rename", "ramp");

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

/// The process ends here, as by kill -9, when this passing is the one that was asked for.
inline void pass(Failpoint point) {
  if (armed_failpoint.point.load(std::memory_order_relaxed) !=
      1 + static_cast<std::uint32_t>(point))
    return;
  if (armed_failpoint.left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

}  // namespace esper
