#pragma once
// A handle that outlives its actor's restarts. CAF 0.17 never revives an old handle.
#include <atomic>
#include <cstdint>
#include <mutex>

#include <caf/all.hpp>

namespace esper {

/// Passes everything on to its present target. Without one, requests are refused at once with
/// sec::request_receiver_down and messages are dropped, which is counted: lanes keep theirs and
/// send them again, the supervisor tells again what it told.
class StableHandle : public caf::monitorable_actor {
 public:
  explicit StableHandle(caf::actor_config& config) : caf::monitorable_actor(config) {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* context) override;
  const char* name() const override { return "stable_handle"; }

  [[nodiscard]] static caf::strong_actor_ptr make(caf::actor_system& system);
  /// Points `handle` (made by `make`) at `target`; null for none.
  static void set_target(const caf::strong_actor_ptr& handle, caf::strong_actor_ptr target);
  /// Messages dropped and requests refused since the last call. One caller: Oona.
  [[nodiscard]] static std::uint64_t take_dropped(const caf::strong_actor_ptr& handle);

 private:
  std::mutex mutex_;
  caf::strong_actor_ptr target_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace esper
