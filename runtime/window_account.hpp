#pragma once
// What a journal tells of each window: how the grown model trained, and what stood in its path.
// Pure.
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/host.hpp"
#include "messages/turn.hpp"

namespace esper {

struct WindowAccount {
  Window window;
  Step step;                           ///< of the surviving history, when the window closed
  double loss{};                       ///< nats per sample, mean over the window's training batches
  std::uint64_t seeds_in_path{};       ///< unfossilised, at alpha > 0: they shape the host's output
  std::vector<std::string> crisis;     ///< regions that said so
  std::vector<std::string> embargoed;  ///< regions inside a zone

  static constexpr auto schema = record(
      "WindowAccount", field("window", &WindowAccount::window), field("step", &WindowAccount::step),
      field("loss", &WindowAccount::loss), field("seeds_in_path", &WindowAccount::seeds_in_path),
      field("crisis", &WindowAccount::crisis), field("embargoed", &WindowAccount::embargoed));
};

/// Reads entries in sequence order.
class WindowAccountant {
 public:
  void take(const JournalEntry& entry);
  [[nodiscard]] const std::vector<WindowAccount>& windows() const { return windows_; }

 private:
  [[nodiscard]] std::string region_name(RegionId region) const;
  /// That window's account; none for a window without a WindowSummary.
  [[nodiscard]] WindowAccount* find(Window window);

  HostDescription host_;
  std::vector<WindowAccount> windows_;
};

}  // namespace esper
