#include "gpu/replica_group.hpp"

#include <thread>

#include "gpu/gloo_collective.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look{10};
constexpr std::chrono::milliseconds reach_patience{1'000};  // of a table whose keeper may be gone

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string numbered(const char* what, const std::string& node, std::int64_t number) {
  return std::string{what} + "/" + node + "/" + std::to_string(number);
}

/// Left behind: by the others, or because nobody may go on.
std::string refusal_of(const GroupWord& group, const std::string& node) {
  if (!group.refused.empty()) return group.refused;
  return "the replicas of epoch " + std::to_string(group.epoch) + " go on without " + node;
}

}  // namespace

ReplicaGroup::ReplicaGroup(GroupPlace place) : place_(std::move(place)) {
  if (place_.keeps_store) {
    own_ = table_ = SharedStore::keep(place_.store_port, place_.collective);
  } else {
    table_ = SharedStore::reach(place_.store_host, place_.store_port, place_.ready);
    own_ = SharedStore::keep(0, place_.collective);
  }
}

StandingWord ReplicaGroup::standing(const Progress& progress) const {
  return {.node = place_.node,
          .host = place_.address,
          .port = own_->port(),
          .known = group_.epoch,
          .progress_epoch = stands_,
          .step = progress.step,
          .position = progress.position,
          .boundary = true,
          .newest = group_.epoch,
          .members = group_.members};
}

void ReplicaGroup::lost(const std::string& node) {
  const std::lock_guard lock(lost_lock_);
  lost_.push_back(node);
}

bool ReplicaGroup::is_lost(const std::string& node) const {
  const std::lock_guard lock(lost_lock_);
  return contains(lost_, node);
}

bool ReplicaGroup::joiner_waits() {
  return place_.keeps_store && table_->add("joins", 0) > joins_seen_;
}

/// By the rules that the simulator runs; here the trainers alone have a vote.
GroupWord ReplicaGroup::plan(const std::vector<StandingWord>& words) const {
  std::uint64_t epoch = group_.epoch;
  for (const auto& word : words) epoch = std::max(epoch, word.known);
  ++epoch;
  std::vector<Voter> configured;
  for (const auto& node : place_.nodes) configured.push_back({node, true});
  std::vector<Standing> standings;
  for (const auto& word : words) {
    Standing& standing = standings.emplace_back();
    standing.node = word.node;
    standing.epoch = epoch;
    standing.progress = {word.progress_epoch, word.step, word.position};
    standing.boundary = word.boundary;
    standing.newest.epoch = word.newest;
    standing.newest.members = word.members;
  }
  const GroupPlan planned = plan_group(configured, standings, epoch, place_.quorum);
  GroupWord group{.epoch = epoch, .members = planned.group.members, .source = planned.group.source};
  group.refused = planned.refused;
  group.progress_epoch = planned.group.from.epoch;
  group.step = planned.group.from.step;
  group.position = planned.group.from.position;
  for (const auto& member : group.members)
    for (const auto& word : words)
      if (word.node == member) {
        group.hosts.push_back(word.host);
        group.ports.push_back(word.port);
      }
  return group;
}

GroupWord ReplicaGroup::decide(SharedStore& table, const StandingWord& own,
                               std::vector<std::string> awaited, Patience patience, bool whole) {
  const auto until = Clock::now() + patience;
  std::map<std::string, StandingWord> words{{own.node, own}};
  std::map<std::string, std::int64_t> asked;
  const std::int64_t joins = table.add("joins", 0);
  for (; joins_seen_ < joins; ++joins_seen_)
    if (const auto joiner = table.get(numbered("join", "", joins_seen_ + 1), place_.collective);
        joiner && !contains(awaited, *joiner))
      awaited.push_back(*joiner);
  const auto everybody = [&] {
    return std::all_of(awaited.begin(), awaited.end(), [&](const std::string& node) {
      return words.contains(node) || is_lost(node);
    });
  };
  while (true) {
    for (const auto& node : awaited) {
      if (node == own.node) continue;
      const std::int64_t count = table.add("asked/" + node, 0);
      if (count <= std::max(asked[node], answered_[node])) continue;
      const auto text = table.get(numbered("standing", node, count), place_.collective);
      if (!text) continue;
      asked[node] = count;
      words[node] = parsed<StandingWord>(*text);
    }
    if (everybody() || Clock::now() >= until) break;
    std::this_thread::sleep_for(look);
  }
  GroupWord group;
  if (whole && !everybody()) {
    for (const auto& node : awaited)
      if (!words.contains(node))
        group.refused += (group.refused.empty() ? "" : ", ") + node + " did not come in time";
  } else {
    std::vector<StandingWord> all;
    for (const auto& [node, word] : words) all.push_back(word);
    group = plan(all);
  }
  for (const auto& [node, count] : asked) {
    answered_[node] = count;
    table.set(numbered("answer", node, count), canonical(group));
  }
  return group;
}

std::optional<GroupWord> ReplicaGroup::ask(SharedStore& table, const StandingWord& own,
                                           Patience patience) {
  // The words first: whoever sees the number finds them.
  const std::int64_t number = table.add("asking/" + own.node, 1);
  table.set(numbered("standing", own.node, number), canonical(own));
  table.add("asked/" + own.node, 1);
  const auto text = table.get(numbered("answer", own.node, number), patience);
  if (!text) return std::nullopt;
  return parsed<GroupWord>(*text);
}

Formed ReplicaGroup::come_together(const GroupWord& group, std::shared_ptr<SharedStore> table) {
  if (!group.refused.empty() || !contains(group.members, place_.node))
    throw LeftOut(refusal_of(group, place_.node));
  group_ = group;
  const auto rank_of = [&](const std::string& node) {
    return static_cast<std::uint32_t>(std::find(group.members.begin(), group.members.end(), node) -
                                      group.members.begin());
  };
  return {.collective = gloo_collective(std::move(table),
                                        {.group = "epoch " + std::to_string(group.epoch),
                                         .address = place_.address,
                                         .rank = rank_of(place_.node),
                                         .world = static_cast<std::uint32_t>(group.members.size()),
                                         .patience = place_.collective}),
          .source = rank_of(group.source)};
}

Formed ReplicaGroup::form(const Progress& progress) {
  const StandingWord own = standing(progress);
  if (place_.keeps_store) {
    const auto group = decide(*table_, own, place_.first.empty() ? place_.nodes : place_.first,
                              place_.ready, /*whole=*/true);
    if (group.refused.empty()) table_->set("formed", "");
    return come_together(group, table_);
  }
  const auto group = ask(*table_, own, place_.ready + place_.collective);
  if (!group) throw LeftOut("the replicas did not come together in time");
  return come_together(*group, table_);
}

Formed ReplicaGroup::join() {
  const StandingWord own = standing({});
  const std::int64_t number = table_->add("joining", 1);
  table_->set(numbered("join", "", number), place_.node);
  table_->add("joins", 1);
  const auto group = ask(*table_, own, place_.ready);
  if (!group) throw LeftOut("nobody let " + place_.node + " in");
  return come_together(*group, table_);
}

std::shared_ptr<SharedStore> ReplicaGroup::reach(std::size_t member) const {
  try {
    return SharedStore::reach(group_.hosts.at(member),
                              static_cast<std::uint16_t>(group_.ports.at(member)), reach_patience);
  } catch (const std::exception&) {
    return nullptr;
  }
}

Formed ReplicaGroup::reform(const Progress& progress) {
  const StandingWord own = standing(progress);
  for (std::size_t member = 0; member < group_.members.size(); ++member) {
    const std::string& node = group_.members[member];
    if (node == place_.node)
      return come_together(decide(*own_, own, group_.members, place_.settle, /*whole=*/false),
                           own_);
    if (is_lost(node)) continue;
    try {
      const auto table = reach(member);
      if (!table) continue;
      // Its keeper may still be at its own part of a step, and then waits for others.
      if (const auto group = ask(*table, own, place_.collective + place_.settle))
        return come_together(*group, table);
    } catch (const CollectiveFailed&) {
      throw;
    } catch (const LeftOut&) {
      throw;
    } catch (const std::runtime_error&) {
      // Lost while it was asked.
    }
  }
  throw LeftOut("no other replica answers " + place_.node);
}

}  // namespace esper
