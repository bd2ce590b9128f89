#include "actors/decisions/witness.hpp"

namespace esper {

namespace {

GroupMemory group_memory(const WitnessMemory& memory) {
  GroupMemory group;
  group.promised = memory.promised;
  group.newest.epoch = memory.newest;
  group.newest.members = memory.members;
  return group;
}

}  // namespace

Witness::Witness(std::vector<Voter> configured, std::string self, const WitnessMemory& memory)
    : configured_(std::move(configured)),
      self_(std::move(self)),
      run_(memory.run),
      group_(configured_, QuorumRule::majority, self_, group_memory(memory)) {}

WitnessAnswer Witness::answer(const WitnessQuestion& question) {
  if (question.run > run_) {
    run_ = question.run;
    group_ = TrainingGroup(configured_, QuorumRule::majority, self_);
  }
  bool given = false;
  if (question.run == run_ && question.members.empty()) {
    given = group_.asked(question.epoch).has_value();
  } else if (question.run == run_) {
    Group group;
    group.epoch = question.epoch;
    group.members = question.members;
    given = group_.agree(group);
  }
  const WitnessMemory known = memory();
  return {self_, given, known.promised, known.newest, known.members};
}

WitnessMemory Witness::memory() const {
  const GroupMemory& memory = group_.memory();
  return {run_, memory.promised, memory.newest.epoch, memory.newest.members};
}

Standing standing_of(const WitnessAnswer& vote, std::uint64_t epoch) {
  Standing standing;
  standing.node = vote.node;
  standing.epoch = epoch;
  standing.newest.epoch = vote.newest;
  standing.newest.members = vote.members;
  return standing;
}

}  // namespace esper
