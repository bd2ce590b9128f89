#include "actors/lane.hpp"

namespace esper {

LaneQueue::LaneQueue(std::string name, LaneKind kind, std::size_t credit, std::size_t backlog_max)
    : name_(std::move(name)), kind_(kind), credit_(credit), backlog_max_(backlog_max) {}

bool LaneQueue::push(caf::message message) {
  const std::lock_guard lock(mutex_);
  ++counts_.sent;
  if (closed_) {
    ++counts_.dead;
    return false;
  }
  settle();
  use_credit();
  if (backlog_.empty() && under_way_.size() < credit_) {
    forward(message);
    under_way_.push_back(std::move(message));
    return true;
  }
  if (kind_ == LaneKind::telemetry) {
    counts_.collapsed += backlog_.size();
    backlog_.clear();
  } else if (backlog_.size() >= backlog_max_) {
    ++counts_.dead;
    return false;
  }
  backlog_.push_back(std::move(message));
  backlogged_ = true;
  settle();  // the receiver may have taken its last message without seeing `backlogged_`
  use_credit();
  return true;
}

void LaneQueue::delivered() {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed) + 1;
  taken_ = taken;
  if (!backlogged_) return;
  if (taken < settle_at_ && taken != forwarded_) return;
  const std::lock_guard lock(mutex_);
  settle();
  use_credit();
}

void LaneQueue::settle() {
  const std::uint64_t taken = taken_;
  for (; settled_ < taken; ++settled_) {
    if (under_way_.empty()) continue;  // closed meanwhile: counted dead
    under_way_.pop_front();
    ++counts_.delivered;
  }
}

void LaneQueue::use_credit() {
  while (!backlog_.empty() && under_way_.size() < credit_) {
    forward(backlog_.front());
    under_way_.push_back(std::move(backlog_.front()));
    backlog_.pop_front();
  }
  backlogged_ = !backlog_.empty();
  settle_at_ = settled_ + std::max<std::uint64_t>(1, credit_ / 4);
}

void LaneQueue::set_target(caf::strong_actor_ptr target) {
  const std::lock_guard lock(mutex_);
  target_ = std::move(target);
}

void LaneQueue::receiver_restarted() {
  const std::lock_guard lock(mutex_);
  settle();
  forwarded_ = settled_;  // what the dead incarnation held is gone
  if (kind_ == LaneKind::telemetry) {
    counts_.dead += under_way_.size();
    under_way_.clear();
  }
  for (const auto& message : under_way_) forward(message);
  use_credit();
}

void LaneQueue::close() {
  const std::lock_guard lock(mutex_);
  settle();
  closed_ = true;
  counts_.dead += under_way_.size() + backlog_.size();
  under_way_.clear();
  backlog_.clear();
  target_ = nullptr;
}

LaneCounts LaneQueue::counts() const {
  const std::lock_guard lock(mutex_);
  LaneCounts counts = counts_;
  const std::uint64_t unsettled = std::min<std::uint64_t>(taken_ - settled_, under_way_.size());
  counts.delivered += unsettled;
  counts.waiting = under_way_.size() - unsettled + backlog_.size();
  return counts;
}

void LaneQueue::forward(const caf::message& message) {
  ++forwarded_;
  if (target_) target_->enqueue(nullptr, caf::make_message_id(), message, nullptr);
}

}  // namespace esper
