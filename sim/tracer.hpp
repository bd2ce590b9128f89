#pragma once
// The trace of a simulation: every message, fault and journal entry, hashed; kept as lines only
// where someone wants to read them.
#include <map>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "messages/audit.hpp"
#include "messages/host.hpp"
#include "sim/digest.hpp"
#include "sim/fault.hpp"
#include "sim/world.hpp"

namespace esper::sim {

class Tracer {
 public:
  Tracer(bool keeps_lines, const HostDescription& host) : keeps_lines_(keeps_lines), host_(host) {}

  void message(const WorldEvent& event);
  void struck(std::uint64_t at_ms, const Fault& fault);
  void written(std::uint64_t at_ms, const std::vector<JournalEntry>& entries);
  void logged(std::string_view event, std::string_view details);

  [[nodiscard]] std::uint64_t hash() const { return digest_.value(); }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  struct Known {
    std::string name;
    std::uint64_t hash;
  };
  [[nodiscard]] const Known& type_of(const caf::type_erased_tuple& content);
  void line(std::uint64_t at_ms, const std::string& text);

  bool keeps_lines_;
  const HostDescription& host_;
  Digest digest_;
  std::uint64_t newest_ms_{};
  std::map<std::type_index, Known> types_;
  std::map<std::string, std::uint64_t> roles_;
  std::vector<std::string> lines_;
};

}  // namespace esper::sim
