// One line on the control socket.
// Held: an answer is one line of JSON, whatever the request held; a request that is understood
// is understood the same when it is written again.
#include "runtime/control/control_protocol.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace esper {
namespace {

using nlohmann::json;

HostDescription host() {
  HostDescription described;
  for (const char* name : {"early", "middle", "late"}) described.regions.emplace_back().name = name;
  return described;
}

void check_answer(const std::string& line, const json& id) {
  must(line.find('\n') == line.size() - 1, "an answer is one line");
  const auto read = json::parse(line, nullptr, false);
  must(read.is_object() && read.contains("id"), "an answer is a JSON object with an id");
  must(!id.is_number_integer() || read["id"] == id, "an answer carries its request's id");
}

void read(const std::string& line) {
  static const auto described = host();
  json id;
  auto request = read_request(line, id);
  if (!request) return check_answer(fault_line(id, request.refusal()), id);
  const auto& [_, command, arguments] = request.value();
  check_answer(answer_line(id, arguments), id);
  json written = arguments;
  written["esper"] = control_version;
  written["command"] = std::string{name_of(command)};
  if (!id.is_null()) written["id"] = id;
  json again_id;
  const auto again = read_request(written.dump(), again_id);
  must(again && again.value().command == command && again.value().arguments == arguments,
       "a request written again is the same request");
  if (const auto order = read_chaos(arguments))
    for (const Fault& fault : order.value().faults)
      must(!told(fault).empty(), "a fault can be told");
  else
    check_answer(fault_line(id, order.refusal()), id);
  const auto asked = read_override(arguments, described);
  if (!asked) return check_answer(fault_line(id, asked.refusal()), id);
  must(asked.value().asked.region.value < described.regions.size(),
       "a region of an override is there");
  must(asked.value().patience <= std::chrono::minutes{2}, "nobody waits longer than two minutes");
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The server hands on no longer line.
  if (size <= esper::request_bytes_max) esper::read({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
