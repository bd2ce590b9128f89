#pragma once
// The rule of one lane, without actors: what is under way to the receiver, what waits, what is
// lost. Senders share a lock; the receiver's steady path takes none.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "messages/schema.hpp"

namespace esper {

/// `command`: kept until the receiver has handled it, in order, also across its restart.
/// `telemetry`: while the receiver is busy only the newest waits.
enum class LaneKind : std::uint8_t { command, telemetry };

/// Why a letter will not be delivered.
/// receiver_lost: telemetry that was under way to an incarnation that died.
/// poison: so many incarnations died in its handler that the next one is spared it.
enum class DeathCause : std::uint8_t { backlog_full, closed, receiver_lost, poison };
ESPER_ENUM_NAMES(DeathCause, "backlog_full", "closed", "receiver_lost", "poison");

using DeathCounts = std::array<std::uint64_t, EnumNames<DeathCause>::values.size()>;

/// Every letter is counted once: sent == delivered + collapsed + dead + waiting.
struct LaneCounts {
  std::uint64_t sent{}, delivered{}, collapsed{}, dead{}, waiting{};
};

/// Letters stand in one ring, oldest first: [settled, posted) are under way, [posted, end) wait.
/// `post(Letter&)` hands one to the receiver and is called in order; the letter stays in the ring
/// until it is settled, so that the next incarnation can be sent it again. Safe from any thread.
template <typename Letter>
class CreditQueue {
 public:
  /// A handler that ends so many incarnations is not given the same letter again.
  static constexpr std::uint32_t strikes_max = 3;

  /// Letters posted between two looks at what has been handled: few, so that their memory is used
  /// again while it is in the processor's cache.
  static constexpr std::uint64_t settle_every = 4;

  CreditQueue(LaneKind kind, std::size_t credit, std::size_t backlog_max)
      : kind_(kind), credit_(credit), backlog_max_(backlog_max), ring_(4) {}

  /// False: the letter is dead and the sender knows it.
  template <typename Post>
  bool push(Letter letter, const Post& post) {
    const std::lock_guard lock(mutex_);
    ++sent_;
    if (closed_) return refuse(DeathCause::closed);
    if (posted_ == end_ && ready()) {
      append(std::move(letter));
      post(at(posted_++));
      return true;
    }
    settle();
    use_credit(post);
    if (kind_ == LaneKind::telemetry && posted_ < end_) {
      at(posted_) = std::move(letter);
      ++collapsed_;
    } else if (end_ - posted_ >= backlog_max_) {
      return refuse(DeathCause::backlog_full);
    } else {
      append(std::move(letter));
    }
    if (!backlogged_) backlogged_ = true;
    settle();  // the receiver may have handled its last letter without seeing `backlogged_`
    use_credit(post);
    return true;
  }

  /// The receiver has handled its oldest letter. Takes the lock only while letters wait for
  /// credit, and then for many at a time. Called by one thread at a time.
  template <typename Post>
  void delivered(const Post& post) {
    const std::uint64_t taken = taken_.load(std::memory_order_relaxed) + 1;
    taken_ = taken;  // before `backlogged_` is read: push() does it the other way round
    if (!backlogged_ || taken < refill_at_) return;
    const std::lock_guard lock(mutex_);
    settle();
    use_credit(post);
  }

  /// The handler of the receiver's oldest letter threw, which ends this incarnation.
  void struck() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t oldest = taken_;
    strikes_ = struck_ == oldest ? strikes_ + 1 : 1;
    struck_ = oldest;
  }

  /// The receiver died: nothing is posted until the next incarnation is there.
  void receiver_lost() {
    const std::lock_guard lock(mutex_);
    settle();
    present_ = false;
    if (kind_ == LaneKind::telemetry) bury(posted_, DeathCause::receiver_lost);
  }

  /// A new incarnation is there, on an open lane: it is posted all that its predecessor left.
  template <typename Post>
  void receiver_started(const Post& post) {
    const std::lock_guard lock(mutex_);
    present_ = true;
    closed_ = false;
    posted_ = settled_;
    if (struck_ == settled_ && strikes_ >= strikes_max && settled_ < end_) {
      posted_ = settled_ + 1;
      bury(posted_, DeathCause::poison);
    }
    use_credit(post);
  }

  /// The receiver is not expected back: all that waits is dead, and so is what comes.
  void close() {
    const std::lock_guard lock(mutex_);
    settle();
    present_ = false;
    closed_ = true;
    posted_ = end_;
    bury(end_, DeathCause::closed);
    backlogged_ = false;
  }

  [[nodiscard]] LaneCounts counts() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t unsettled = std::min<std::uint64_t>(taken_, posted_) - settled_;
    LaneCounts counts{.sent = sent_,
                      .delivered = delivered_ + unsettled,
                      .collapsed = collapsed_,
                      .dead = 0,
                      .waiting = end_ - settled_ - unsettled};
    for (const std::uint64_t count : dead_) counts.dead += count;
    return counts;
  }
  [[nodiscard]] DeathCounts deaths() const {
    const std::lock_guard lock(mutex_);
    return dead_;
  }
  /// Letters that it holds, the handled ones that are not settled yet included: never more than
  /// credit and backlog together.
  [[nodiscard]] std::size_t held() const {
    const std::lock_guard lock(mutex_);
    return end_ - settled_;
  }

 private:
  [[nodiscard]] Letter& at(std::uint64_t position) { return ring_[position & (ring_.size() - 1)]; }

  void append(Letter letter) {
    if (end_ - settled_ == ring_.size()) grow();
    at(end_++) = std::move(letter);
  }
  void grow() {
    std::vector<Letter> wider(2 * ring_.size());
    for (std::uint64_t i = settled_; i < end_; ++i)
      wider[i & (wider.size() - 1)] = std::move(at(i));
    ring_ = std::move(wider);
  }

  /// May the next letter be posted? Looks only now and then at what the receiver has handled: that
  /// line of memory is the receiver's.
  [[nodiscard]] bool ready() {
    if (!present_) return false;
    if (posted_ - settled_ >= credit_ || posted_ >= settle_at_) settle();
    return posted_ - settled_ < credit_;
  }

  void settle() {
    const std::uint64_t taken = std::min<std::uint64_t>(taken_, posted_);
    for (; settled_ < taken; ++settled_, ++delivered_) at(settled_) = Letter{};
    settle_at_ = posted_ + settle_every;
  }

  template <typename Post>
  void use_credit(const Post& post) {
    if (present_)
      while (posted_ < end_ && posted_ - settled_ < credit_) post(at(posted_++));
    refill_at_ = settled_ + std::max<std::uint64_t>(1, credit_ / 4);
    if (const bool waits = posted_ < end_; backlogged_ != waits) backlogged_ = waits;
  }

  bool refuse(DeathCause cause) {
    ++dead_[static_cast<std::size_t>(cause)];
    return false;
  }
  /// All before `end` is dead. The receiver is gone, so that `taken_` is nobody's.
  void bury(std::uint64_t end, DeathCause cause) {
    dead_[static_cast<std::size_t>(cause)] += end - settled_;
    for (; settled_ < end; ++settled_) at(settled_) = Letter{};
    taken_ = settled_;
  }

  const LaneKind kind_;
  const std::size_t credit_, backlog_max_;
  mutable std::mutex mutex_;
  std::vector<Letter> ring_;  ///< its size is a power of two
  std::uint64_t settled_ = 0, posted_ = 0, end_ = 0;
  std::uint64_t settle_at_ = 0;  ///< compared with posted_
  bool present_ = false, closed_ = false;
  std::uint64_t sent_ = 0, delivered_ = 0, collapsed_ = 0;
  DeathCounts dead_{};
  std::uint64_t struck_ = 0;
  std::uint32_t strikes_ = 0;
  // What sender and receiver say to each other without the lock, apart by cache line.
  alignas(64) std::atomic<bool> backlogged_{false};
  std::atomic<std::uint64_t> refill_at_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};  ///< the receiver's own
};

}  // namespace esper
