#pragma once
// The control socket's protocol: one JSON object a line, a request and its answer.
//
//   {"esper": 1, "id": 7, "command": "status"}
//   {"esper": 1, "id": 8, "command": "override", "kind": "freeze", "region": "early", "until": 40,
//    "why": "I look at its weights"}
//   {"esper": 1, "id": 8, "ok": true, "result": {…}}
//   {"esper": 1, "id": 9, "ok": false, "error": {"code": "refused", "sentence": "…"}}
//
// "id" is any number or text and comes back; without one it is null. docs/operations.md lists every
// key.
#include <chrono>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "messages/host.hpp"
#include "messages/override.hpp"
#include "messages/result.hpp"
#include "runtime/chaos/chaos_account.hpp"

namespace esper {

inline constexpr int control_version = 1;
/// Bytes of a request's line, without its end.
inline constexpr std::size_t request_bytes_max = 16'384;

enum class ControlProblem : std::uint8_t {
  malformed,        ///< no JSON object, or a key that is missing, unknown or of another type
  unknown_version,  ///< "esper" is not control_version
  unknown_command,
  too_large,   ///< the line is longer than request_bytes_max; the connection is closed
  other_user,  ///< the peer is neither this process's user nor root; the connection is closed
  refused,     ///< understood, and not possible
  busy,        ///< too many connections, or too many overrides wait
  timed_out,
  unreachable,  ///< client: nobody listens
};
ESPER_ENUM_NAMES(ControlProblem, "malformed", "unknown_version", "unknown_command", "too_large",
                 "other_user", "refused", "busy", "timed_out", "unreachable");

struct ControlFault {
  ControlProblem problem{};
  std::string sentence;
};

enum class ControlCommand : std::uint8_t { status, override, chaos, chaos_status, heal, drain };
ESPER_ENUM_NAMES(ControlCommand, "status", "override", "chaos", "chaos_status", "heal", "drain");

struct ControlRequest {
  nlohmann::json id;
  ControlCommand command{};
  nlohmann::json arguments;  ///< the other keys
};

/// One line. Errors: malformed, unknown_version, unknown_command; `id` receives what the answer
/// carries, as far as it could be read.
[[nodiscard]] Result<ControlRequest, ControlFault> read_request(const std::string& line,
                                                                nlohmann::json& id);

struct OverrideRequest {
  Override asked;  ///< without id and who
  std::chrono::milliseconds patience{};
};
/// The keys of an override: "kind"; "region", by name (grant, freeze, escape); "posture" or
/// "energy" for those kinds; "until", a window (not for escape); "from", a window, the next turn
/// without one; "why"; "wait_ms" for the answer, up to 120,000. Errors: malformed.
[[nodiscard]] Result<OverrideRequest, ControlFault> read_override(const nlohmann::json& arguments,
                                                                  const HostDescription& host);

/// The keys of a chaos: "rehearsal", its name; "faults", as a rehearsal has them; "duration_ms",
/// until all heals, 0 or none for a little after the last fault; "blast", at most so much at once;
/// "skip_impossible". Errors: malformed. What is asked for may still be refused.
[[nodiscard]] Result<ChaosOrder, ControlFault> read_chaos(const nlohmann::json& arguments);

[[nodiscard]] std::string answer_line(const nlohmann::json& id, const nlohmann::json& result);
[[nodiscard]] std::string fault_line(const nlohmann::json& id, const ControlFault& fault);

}  // namespace esper
