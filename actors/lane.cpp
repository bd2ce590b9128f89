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
  if (under_way_.size() < credit_) {
    under_way_.push_back(std::move(message));
    forward(under_way_.back());
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
  return true;
}

void LaneQueue::delivered() {
  const std::lock_guard lock(mutex_);
  if (under_way_.empty()) return;  // closed meanwhile: it was counted dead
  under_way_.pop_front();
  ++counts_.delivered;
  if (backlog_.empty()) return;
  under_way_.push_back(std::move(backlog_.front()));
  backlog_.pop_front();
  forward(under_way_.back());
}

void LaneQueue::set_target(caf::strong_actor_ptr target) {
  const std::lock_guard lock(mutex_);
  target_ = std::move(target);
}

void LaneQueue::receiver_restarted() {
  const std::lock_guard lock(mutex_);
  if (kind_ == LaneKind::telemetry) {
    counts_.dead += under_way_.size();
    under_way_.clear();
    if (!backlog_.empty()) {
      under_way_.push_back(std::move(backlog_.front()));
      backlog_.clear();
    }
  }
  for (const auto& message : under_way_) forward(message);
}

void LaneQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  counts_.dead += under_way_.size() + backlog_.size();
  under_way_.clear();
  backlog_.clear();
  target_ = nullptr;
}

LaneCounts LaneQueue::counts() const {
  const std::lock_guard lock(mutex_);
  LaneCounts counts = counts_;
  counts.waiting = under_way_.size() + backlog_.size();
  return counts;
}

void LaneQueue::forward(const caf::message& message) {
  if (target_)
    target_->enqueue(nullptr, caf::make_message_id(), message, nullptr);
}

}  // namespace esper
