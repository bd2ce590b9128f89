#include "actors/stable_handle.hpp"

#include <caf/detail/sync_request_bouncer.hpp>

namespace esper {

void StableHandle::enqueue(caf::mailbox_element_ptr element, caf::execution_unit* context) {
  caf::strong_actor_ptr target;
  {
    const std::lock_guard lock(mutex_);
    target = target_;
  }
  if (target) return target->enqueue(std::move(element), context);
  ++dropped_;
  caf::detail::sync_request_bouncer{caf::error{}}(*element);
}

std::uint64_t StableHandle::take_dropped(const caf::strong_actor_ptr& handle) {
  return static_cast<StableHandle&>(*handle->get()).dropped_.exchange(0);
}

caf::strong_actor_ptr StableHandle::make(caf::actor_system& system) {
  caf::actor_config config;
  return caf::make_actor<StableHandle, caf::strong_actor_ptr>(system.next_actor_id(), system.node(),
                                                              &system, config);
}

void StableHandle::set_target(const caf::strong_actor_ptr& handle, caf::strong_actor_ptr target) {
  auto& self = static_cast<StableHandle&>(*handle->get());
  const std::lock_guard lock(self.mutex_);
  self.target_ = std::move(target);
}

}  // namespace esper
