#include "runtime/control/control_protocol.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "runtime/listed.hpp"

namespace esper {
namespace {

using nlohmann::json;

ControlFault malformed(std::string sentence) {
  return {ControlProblem::malformed, std::move(sentence)};
}

template <NamedEnum E>
std::string names() {
  std::vector<std::string> all;
  for (const auto& name : EnumNames<E>::values) all.emplace_back(name);
  return listed(all);
}

/// Reads keys one by one and remembers which were asked for; the first fault stays.
class Keys {
 public:
  explicit Keys(const json& object) : object_(object) {}

  std::optional<std::string> text(const std::string& key, bool needed) {
    const json* value = find(key, needed);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    fail("\"" + key + "\" takes a text");
    return std::nullopt;
  }
  std::optional<std::uint64_t> number(const std::string& key, bool needed) {
    const json* value = find(key, needed);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    fail("\"" + key + "\" takes a whole number from 0");
    return std::nullopt;
  }
  std::optional<bool> flag(const std::string& key) {
    const json* value = find(key, false);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    fail("\"" + key + "\" takes true or false");
    return std::nullopt;
  }
  /// Nothing: it is missing, or no list of objects.
  const json* objects(const std::string& key) {
    const json* value = find(key, true);
    if (value == nullptr) return nullptr;
    if (value->is_array() &&
        std::all_of(value->begin(), value->end(), [](const json& one) { return one.is_object(); }))
      return value;
    fail("\"" + key + "\" takes a list of objects");
    return nullptr;
  }
  template <NamedEnum E>
  std::optional<E> choice(const std::string& key, bool needed) {
    const auto value = text(key, needed);
    if (!value) return std::nullopt;
    const auto found = enum_from<E>(*value);
    if (!found) fail("\"" + key + "\" is one of " + names<E>() + ", not " + *value);
    return found;
  }
  void fail(std::string sentence) {
    if (!fault_) fault_ = malformed(std::move(sentence));
  }
  /// Also when a key was not asked for.
  [[nodiscard]] std::optional<ControlFault> fault() {
    for (const auto& [key, value] : object_.items())
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        fail("there is no key \"" + key + "\" here; there are " + listed(known_));
    return fault_;
  }

 private:
  const json* find(const std::string& key, bool needed) {
    known_.push_back(key);
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (needed) fail("\"" + key + "\" is missing");
    return nullptr;
  }

  const json& object_;
  std::vector<std::string> known_;
  std::optional<ControlFault> fault_;
};

/// In one line whatever the texts hold: bytes that are no UTF-8 are replaced.
std::string line_of(const json& answer) {
  return answer.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<ControlRequest, ControlFault> read_request(const std::string& line, json& id) {
  auto object = json::parse(line, nullptr, false);
  if (!object.is_object()) return malformed("a request is one JSON object in one line");
  if (const auto given = object.find("id"); given != object.end()) {
    if (!given->is_number() && !given->is_string())
      return malformed("\"id\" takes a number or a text");
    id = *given;
  }
  const auto version = object.find("esper");
  if (version == object.end() || *version != control_version)
    return ControlFault{
        ControlProblem::unknown_version,
        "\"esper\", the protocol's version, must be " + std::to_string(control_version)};
  const auto name = object.find("command");
  const auto command = name != object.end() && name->is_string()
                           ? enum_from<ControlCommand>(name->get_ref<const std::string&>())
                           : std::nullopt;
  if (!command)
    return ControlFault{ControlProblem::unknown_command,
                        "\"command\" is one of " + names<ControlCommand>()};
  for (const char* key : {"esper", "id", "command"}) object.erase(key);
  return ControlRequest{id, *command, std::move(object)};
}

Result<OverrideRequest, ControlFault> read_override(const json& arguments,
                                                    const HostDescription& host) {
  constexpr std::uint64_t wait_ms_max = 120'000, wait_ms_usual = 60'000;
  Keys keys(arguments);
  OverrideRequest request;
  Override& asked = request.asked;
  const auto kind = keys.choice<OverrideKind>("kind", true);
  asked.kind = kind.value_or(OverrideKind::posture);
  if (const auto region = keys.text("region", kind && *kind != OverrideKind::posture)) {
    const auto found = std::find_if(host.regions.begin(), host.regions.end(),
                                    [&](const auto& one) { return one.name == *region; });
    asked.region = {static_cast<std::uint32_t>(found - host.regions.begin())};
    std::vector<std::string> regions;
    for (const auto& one : host.regions) regions.push_back(one.name);
    if (found == host.regions.end())
      keys.fail("there is no region " + *region + "; there are " + listed(regions));
  }
  if (kind == OverrideKind::posture)
    asked.posture = keys.choice<Posture>("posture", true).value_or(Posture::explore);
  if (kind == OverrideKind::grant)
    asked.energy = {static_cast<std::int64_t>(
        std::min<std::uint64_t>(keys.number("energy", true).value_or(0), 1'000'000'000))};
  asked.from = {keys.number("from", false).value_or(0)};
  asked.until = {keys.number("until", kind != OverrideKind::escape).value_or(0)};
  asked.why = keys.text("why", true).value_or("");
  request.patience = std::chrono::milliseconds{
      std::min(keys.number("wait_ms", false).value_or(wait_ms_usual), wait_ms_max)};
  if (const auto fault = keys.fault()) return *fault;
  return request;
}

Result<ChaosOrder, ControlFault> read_chaos(const json& arguments) {
  Keys keys(arguments);
  ChaosOrder order;
  order.rehearsal = keys.text("rehearsal", true).value_or("");
  order.duration_ms = keys.number("duration_ms", false).value_or(0);
  order.blast = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      keys.number("blast", true).value_or(0), std::numeric_limits<std::uint32_t>::max()));
  order.skip_impossible = keys.flag("skip_impossible").value_or(false);
  const json* faults = keys.objects("faults");
  if (const auto fault = keys.fault()) return *fault;
  for (const json& one : *faults) {
    Keys inner(one);
    Fault& fault = order.faults.emplace_back();
    fault.kind = inner.choice<FaultKind>("kind", true).value_or(FaultKind::kill);
    fault.target = inner.text("target", false).value_or("");
    fault.at_ms = inner.number("at_ms", true).value_or(0);
    fault.after_events = inner.number("after_events", false).value_or(0);
    fault.at_window = inner.number("at_window", false).value_or(0);
    fault.duration_ms = inner.number("duration_ms", false).value_or(0);
    if (const auto mistake = inner.fault())
      return malformed("fault " + std::to_string(order.faults.size()) + ": " + mistake->sentence);
  }
  return order;
}

std::string answer_line(const json& id, const json& result) {
  return line_of({{"esper", control_version}, {"id", id}, {"ok", true}, {"result", result}});
}

std::string fault_line(const json& id, const ControlFault& fault) {
  return line_of(
      {{"esper", control_version},
       {"id", id},
       {"ok", false},
       {"error", {{"code", std::string{name_of(fault.problem)}}, {"sentence", fault.sentence}}}});
}

}  // namespace esper
