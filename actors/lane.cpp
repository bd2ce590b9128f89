#include "actors/lane.hpp"
#include "actors/decisions/planted.hpp"

namespace esper {

LaneQueue::LaneQueue(std::string name, LaneKind kind, std::size_t credit, std::size_t backlog_max)
    : name_(std::move(name)), queue_(kind, credit, backlog_max) {}

bool LaneQueue::push(EnvelopePtr message, caf::execution_unit* sender) {
  return queue_.push(std::move(message), [&](EnvelopePtr& posted) { post(posted, sender); });
}

void LaneQueue::delivered() {
  queue_.delivered([this](EnvelopePtr& posted) { post(posted, nullptr); });
}

void LaneQueue::receiver_lost() {
  queue_.receiver_lost();
  receiver_ = nullptr;
}

void LaneQueue::receiver_started(caf::strong_actor_ptr receiver) {
  receiver_ = std::move(receiver);
  queue_.receiver_started([this](EnvelopePtr& posted) { post(posted, nullptr); });
}

void LaneQueue::close() {
  queue_.close();
  receiver_ = nullptr;
}

std::vector<DeadLetter> LaneQueue::take_dead_letters() {
  std::vector<DeadLetter> letters;
  const DeathCounts deaths = queue_.deaths();
  for (std::size_t cause = 0; cause < deaths.size(); ++cause)
    if (planted(Planted::lost_dead_letter) &&
        static_cast<DeathCause>(cause) == DeathCause::receiver_lost)
      told_[cause] = deaths[cause];
    else if (deaths[cause] > told_[cause])
      letters.push_back({.lane = name_,
                         .reason = std::string{name_of(static_cast<DeathCause>(cause))},
                         .count = deaths[cause] - std::exchange(told_[cause], deaths[cause])});
  return letters;
}

void LaneQueue::post(EnvelopePtr& message, caf::execution_unit* sender) {
  if (message->was_shared()) message.reset(message->duplicate());
  receiver_->get()->enqueue(message->share(), sender);
}

}  // namespace esper
