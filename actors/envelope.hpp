#pragma once
// A message as one of Oona's lanes holds it.
#include <memory>
#include <utility>

#include <caf/all.hpp>

namespace esper {

/// The mailbox element itself, so that a lane costs no allocation beyond CAF's own. Lane and
/// mailbox each hold it; whoever lets go last destroys it. Handlers see it as const only.
class Envelope : public caf::mailbox_element {
 public:
  /// The same message for another incarnation: the last one's mailbox may still hold this element.
  [[nodiscard]] virtual Envelope* duplicate() const = 0;

  /// The mailbox holds it too from now on. Once only: see `duplicate`.
  [[nodiscard]] caf::mailbox_element_ptr share() {
    shared_ = true;
    holders_.store(2, std::memory_order_relaxed);  // the lane alone held it
    return caf::mailbox_element_ptr{this};
  }
  [[nodiscard]] bool was_shared() const { return shared_; }

  /// One holder lets go; CAF's mailbox calls this.
  void request_deletion(bool) const noexcept override {
    if (holders_.load(std::memory_order_acquire) == 1 ||
        holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

 protected:
  Envelope()
      : caf::mailbox_element(caf::strong_actor_ptr{}, caf::make_message_id(), forwarding_stack{}) {}

 private:
  mutable std::atomic<std::uint32_t> holders_{1};
  bool shared_ = false;  ///< the lane's
};

template <typename Message>
class Carried final : public Envelope,
                      public caf::detail::tuple_vals_impl<caf::type_erased_tuple, Message> {
 public:
  explicit Carried(Message message)
      : caf::detail::tuple_vals_impl<caf::type_erased_tuple, Message>(std::move(message)) {}

  [[nodiscard]] Envelope* duplicate() const override {
    return new Carried(std::get<0>(this->data()));
  }

  caf::type_erased_tuple& content() override { return *this; }
  const caf::type_erased_tuple& content() const override { return *this; }
  caf::message move_content_to_message() override { return copy_content_to_message(); }
  caf::message copy_content_to_message() const override {
    return caf::make_message(std::get<0>(this->data()));
  }
};

/// The lane's own hold.
struct LetsGo {
  void operator()(const Envelope* envelope) const noexcept { envelope->request_deletion(false); }
};
using EnvelopePtr = std::unique_ptr<Envelope, LetsGo>;

}  // namespace esper
