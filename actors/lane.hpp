#pragma once
// Oona's lanes: bounded ways into an actor's mailbox, which CAF 0.17 leaves unbounded.
#include <exception>
#include <memory>
#include <string>

#include "actors/credit_queue.hpp"
#include "actors/envelope.hpp"
#include "messages/control.hpp"
#include "messages/wire.hpp"

namespace esper {

/// The untyped part. Safe from any thread. At most `credit` messages are under way to the
/// receiver; commands beyond wait in a backlog of at most `backlog_max`.
class LaneQueue {
 public:
  LaneQueue(std::string name, LaneKind kind, std::size_t credit, std::size_t backlog_max);

  /// False: the message is a dead letter and the sender knows it. `sender`: of the calling actor,
  /// if one calls; CAF then runs an idle receiver beside it.
  bool push(EnvelopePtr message, caf::execution_unit* sender);
  /// The receiver has handled its oldest message. Called by one thread at a time.
  void delivered();
  /// The receiver's oldest message made its handler throw.
  void struck() { queue_.struck(); }
  /// The receiver died; messages wait for its next incarnation.
  void receiver_lost();
  /// The next incarnation: untaken commands are sent again, in order, before anything newer.
  void receiver_started(caf::strong_actor_ptr receiver);
  /// The receiver is not expected back: all that waits is dead, until one starts after all.
  void close();

  [[nodiscard]] LaneCounts counts() const { return queue_.counts(); }
  /// Messages in memory on the lane's account.
  [[nodiscard]] std::size_t held() const { return queue_.held(); }
  /// What died since the last call, by cause. One caller: Oona.
  [[nodiscard]] std::vector<DeadLetter> take_dead_letters();
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void post(EnvelopePtr& message, caf::execution_unit* sender);

  const std::string name_;
  caf::strong_actor_ptr receiver_;  ///< written while the queue posts nothing
  DeathCounts told_{};
  CreditQueue<EnvelopePtr> queue_;
};

/// A lane into actors of one type: what the handle does not accept does not compile.
template <typename Handle>
class Lane {
 public:
  explicit Lane(std::shared_ptr<LaneQueue> queue) : queue_(std::move(queue)) {}

  template <typename Message>
  bool send(Message message, caf::execution_unit* sender = nullptr) const {
    static_assert(caf::response_type<typename Handle::signatures, Message>::valid,
                  "the receiver does not know this message");
    return queue_->push(EnvelopePtr{new Carried<Message>(std::move(message))}, sender);
  }
  [[nodiscard]] LaneQueue& queue() const { return *queue_; }

 private:
  std::shared_ptr<LaneQueue> queue_;
};

/// Stands in a handler's scope: when the handler ends well, its message counts as delivered. After
/// an exception it does not, and the next incarnation is sent the message again, but not for ever:
/// see CreditQueue::strikes_max.
class Delivery {
 public:
  explicit Delivery(LaneQueue& lane) : lane_(lane), exceptions_(std::uncaught_exceptions()) {}
  ~Delivery() {
    if (std::uncaught_exceptions() == exceptions_)
      lane_.delivered();
    else
      lane_.struck();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

 private:
  LaneQueue& lane_;
  int exceptions_;
};

}  // namespace esper
