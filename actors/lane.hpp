#pragma once
// Oona's lanes: bounded ways into an actor's mailbox, which CAF 0.17 leaves unbounded.
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include <caf/all.hpp>

#include "messages/wire.hpp"

namespace esper {

/// `command`: kept until the receiver has taken it, in order, also across its restart.
/// `telemetry`: while the receiver is busy only the newest waits.
enum class LaneKind : std::uint8_t { command, telemetry };

/// Every message is counted once: sent == delivered + collapsed + dead + waiting().
struct LaneCounts {
  std::uint64_t sent{}, delivered{}, collapsed{}, dead{}, waiting{};
};

/// The untyped part. Safe from any thread. At most `credit` messages are under way to the
/// receiver; commands beyond wait in a backlog of at most `backlog_max`.
class LaneQueue {
 public:
  LaneQueue(std::string name, LaneKind kind, std::size_t credit, std::size_t backlog_max);

  /// False: the backlog is full. The message is a dead letter and the sender knows it.
  bool push(caf::message message);
  /// The receiver has handled its oldest message. Takes the lock only when messages wait for
  /// credit, and then for many at a time. Called by one thread at a time.
  void delivered();
  void set_target(caf::strong_actor_ptr target);
  /// The receiver is a new incarnation: its untaken commands are sent again, in order; telemetry
  /// under way is dead.
  void receiver_restarted();
  /// The receiver will not come back: all that waits is dead.
  void close();

  [[nodiscard]] LaneCounts counts() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void forward(const caf::message& message);
  void settle();      ///< books what the receiver has taken since; with the lock
  void use_credit();  ///< forwards from the backlog; with the lock

  const std::string name_;
  const LaneKind kind_;
  const std::size_t credit_, backlog_max_;
  mutable std::mutex mutex_;
  caf::strong_actor_ptr target_;
  std::deque<caf::message> under_way_, backlog_;
  LaneCounts counts_;
  bool closed_ = false;
  // The receiver's fast path. `taken_` is its own; the others are written with the lock.
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> forwarded_{0};
  std::atomic<bool> backlogged_{false};
  std::uint64_t settled_ = 0;  ///< of taken_
  std::atomic<std::uint64_t> settle_at_{0};
};

/// A lane into actors of one type: what the handle does not accept does not compile.
template <typename Handle>
class Lane {
 public:
  explicit Lane(std::shared_ptr<LaneQueue> queue) : queue_(std::move(queue)) {}

  template <typename Message>
  bool send(Message message) const {
    static_assert(caf::response_type<typename Handle::signatures, Message>::valid,
                  "the receiver does not know this message");
    return queue_->push(caf::make_message(std::move(message)));
  }
  [[nodiscard]] LaneQueue& queue() const { return *queue_; }

 private:
  std::shared_ptr<LaneQueue> queue_;
};

/// Stands in a handler's scope: when the handler ends well, its message counts as delivered. After
/// an exception it does not, and the next incarnation is sent the message again.
class Delivery {
 public:
  explicit Delivery(LaneQueue& lane) : lane_(lane), exceptions_(std::uncaught_exceptions()) {}
  ~Delivery() {
    if (std::uncaught_exceptions() == exceptions_) lane_.delivered();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

 private:
  LaneQueue& lane_;
  int exceptions_;
};

}  // namespace esper
