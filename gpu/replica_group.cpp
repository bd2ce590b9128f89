#include "gpu/replica_group.hpp"

#include <thread>

#include "actors/decisions/witness.hpp"
#include "gpu/gloo_collective.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look{10};
constexpr std::chrono::milliseconds reach_patience{1'000};  // of a table whose keeper may be gone
constexpr std::chrono::milliseconds find_again{100};        // each look connects to every table
constexpr std::chrono::milliseconds ask_again{50};          // of witnesses
constexpr std::chrono::milliseconds find_patience{200};     // of one that may never have been
constexpr const char* group_name =
    "group";  // in each replica's own table: the newest that it is in

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string numbered(const char* what, const std::string& node, std::int64_t number) {
  return std::string{what} + "/" + node + "/" + std::to_string(number);
}

/// The newest that the table's keeper is in. Nothing: none yet.
std::optional<GroupWord> group_in(SharedStore& table) {
  if (!table.has(group_name)) return std::nullopt;
  return parsed<GroupWord>(table.get(group_name, reach_patience).value());
}

/// Left behind: by the others, or because nobody may go on.
std::string refusal_of(const GroupWord& group, const std::string& node) {
  if (!group.refused.empty()) return group.refused;
  return "the replicas of epoch " + std::to_string(group.epoch) + " go on without " + node;
}

}  // namespace

ReplicaGroup::ReplicaGroup(GroupPlace place)
    : place_(std::move(place)),
      own_(SharedStore::keep(place_.store_port, place_.collective)),
      attended_(place_.leads) {
  const auto until = Clock::now() + place_.ready;
  while (true) {
    if (place_.leads) {
      table_ = own_;
    } else {
      table_ = reach(place_.stores.at(0), reach_patience);
      formed_already_ = table_ && table_->has(group_name);
    }
    // Those of a run that went on without the first, or without this process's life before.
    formed_already_ = formed_already_ || find_group();
    if (table_ || formed_already_) return;
    if (Clock::now() >= until)
      throw std::runtime_error("the replicas' store at " + place_.stores.at(0) +
                               " cannot be reached");
  }
}

std::optional<GroupWord> ReplicaGroup::find_group() const {
  std::vector<std::string> known = place_.stores;
  for (std::size_t member = 0; member < group_.members.size(); ++member)
    known.push_back(group_.hosts[member] + ":" + std::to_string(group_.ports[member]));
  std::optional<GroupWord> newest;
  const std::string own = place_.address + ":" + std::to_string(own_->port());
  for (const auto& store : known) try {
      if (store == own) continue;
      const auto table = reach(store, find_patience);
      if (!table) continue;
      auto group = group_in(*table);
      if (group && (!newest || group->epoch > newest->epoch)) newest = std::move(group);
    } catch (const std::runtime_error&) {
      // Gone while it was read.
    }
  return newest;
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
          .attended = attended_,
          .newest = group_.epoch,
          .members = group_.members};
}

bool ReplicaGroup::has(const std::string& node) const {
  const std::lock_guard lock(lost_lock_);
  return contains(group_.members, node);
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
  return !group_.members.empty() && group_.members.front() == place_.node &&
         own_->add("joins", 0) > joins_seen_;
}

std::vector<Voter> ReplicaGroup::voters() const {
  std::vector<Voter> configured;
  for (const auto& node : place_.nodes) configured.push_back({node, true});
  for (const auto& node : place_.witnesses) configured.push_back({node, false});
  return configured;
}

/// By the rules that the simulator runs.
GroupWord ReplicaGroup::plan(const std::vector<StandingWord>& words, std::uint64_t epoch,
                             const std::vector<WitnessAnswer>& votes, QuorumRule rule) const {
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
  for (const auto& vote : votes) standings.push_back(standing_of(vote, epoch));
  const GroupPlan planned = plan_group(voters(), standings, epoch, rule);
  GroupWord group{.epoch = epoch, .members = planned.group.members, .source = planned.group.source};
  group.refused = planned.refused;
  group.run = group_.run;
  group.progress_epoch = planned.group.from.epoch;
  group.step = planned.group.from.step;
  group.position = planned.group.from.position;
  std::stable_partition(group.members.begin(), group.members.end(), [&](const std::string& member) {
    return std::any_of(words.begin(), words.end(), [&](const StandingWord& word) {
      return word.node == member && word.attended;
    });
  });
  for (const auto& member : group.members)
    for (const auto& word : words)
      if (word.node == member) {
        group.hosts.push_back(word.host);
        group.ports.push_back(word.port);
      }
  return group;
}

GroupWord ReplicaGroup::elect(const std::vector<StandingWord>& words, Patience patience) const {
  std::uint64_t epoch = group_.epoch;
  for (const auto& word : words) epoch = std::max(epoch, word.known);
  ++epoch;
  const auto missing = [&](const std::vector<WitnessAnswer>& agreed) {
    std::vector<Vote> votes;
    for (const auto& word : words) votes.push_back({word.node, epoch});
    for (const auto& one : agreed) votes.push_back({one.node, epoch});
    return no_quorum(voters(), votes, epoch, place_.quorum);
  };
  if (missing({}).empty() || !place_.ask_witnesses) return plan(words, epoch, {}, place_.quorum);
  const auto until = Clock::now() + patience;
  const auto left = [&] { return std::chrono::duration_cast<Patience>(until - Clock::now()); };
  // Two sides may ask at the same time, and each spoil the other's epoch: they wait unequally.
  const auto rank = std::find(place_.nodes.begin(), place_.nodes.end(), place_.node);
  auto again = ask_again * (1 + (rank - place_.nodes.begin()));
  while (true) {
    std::uint64_t promised = epoch;
    const auto given = [&](const WitnessQuestion& question) {
      auto answers = place_.ask_witnesses(question, std::max(left(), look));
      for (const auto& answer : answers) promised = std::max(promised, answer.promised);
      std::erase_if(answers, [](const WitnessAnswer& answer) { return !answer.given; });
      return answers;
    };
    WitnessQuestion question{.run = group_.run, .epoch = epoch, .members = {}};
    const auto votes = given(question);
    GroupWord group = plan(words, epoch, votes, place_.quorum);
    // The newest state is elsewhere: no vote changes that.
    if (!group.refused.empty() && missing(votes).empty()) return group;
    if (group.refused.empty()) {
      question.members = group.members;
      group.refused = missing(given(question));
    }
    if (group.refused.empty() || left() <= again) return group;
    epoch = promised + 1;
    std::this_thread::sleep_for(again);
    again *= 2;
  }
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
    // All together at first: nobody can be elsewhere.
    group = whole ? plan(all, 1, {}, QuorumRule::none) : elect(all, patience);
    if (whole) group.run = place_.run;
  }
  for (const auto& [node, count] : asked) {
    answered_[node] = count;
    table.set(numbered("answer", node, count), canonical(group));
  }
  return group;
}

std::optional<GroupWord> ReplicaGroup::ask(SharedStore& table, const StandingWord& own,
                                           Patience patience, const std::atomic<bool>* stop) {
  // The words first: whoever sees the number finds them.
  const std::int64_t number = table.add("asking/" + own.node, 1);
  table.set(numbered("standing", own.node, number), canonical(own));
  table.add("asked/" + own.node, 1);
  const auto answer = numbered("answer", own.node, number);
  const auto until = Clock::now() + patience;
  while (stop == nullptr || !stop->load()) {
    if (table.has(answer)) return parsed<GroupWord>(table.get(answer, patience).value());
    if (Clock::now() >= until) break;
    std::this_thread::sleep_for(look);
  }
  return std::nullopt;
}

Formed ReplicaGroup::come_together(const GroupWord& group, std::shared_ptr<SharedStore> table) {
  if (!group.refused.empty() || !contains(group.members, place_.node))
    throw LeftOut(refusal_of(group, place_.node));
  own_->set(group_name, canonical(group));
  {
    const std::lock_guard lock(lost_lock_);
    group_ = group;
    std::erase_if(lost_, [&](const std::string& node) {
      return node != place_.node && contains(group_.members, node);
    });
  }
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
  if (place_.leads)
    return come_together(decide(*own_, own, place_.first.empty() ? place_.nodes : place_.first,
                                place_.ready, /*whole=*/true),
                         own_);
  const auto group = ask(*table_, own, place_.ready + place_.collective);
  if (!group) throw LeftOut("the replicas did not come together in time");
  return come_together(*group, table_);
}

Formed ReplicaGroup::join(const std::atomic<bool>* stop) {
  const auto began = Clock::now(), until = began + place_.ready;
  while (Clock::now() < until && (stop == nullptr || !stop->load())) {
    const auto found = find_group();
    if (!found || found->members.front() == place_.node || found->epoch <= stands_) {
      if (stands_ > 0 && Clock::now() >= began + place_.settle) break;
      std::this_thread::sleep_for(find_again);
      continue;
    }
    try {
      const auto table =
          reach(found->hosts.front() + ":" + std::to_string(found->ports.front()), reach_patience);
      if (!table) continue;
      const std::int64_t number = table->add("joining", 1);
      table->set(numbered("join", "", number), place_.node);
      table->add("joins", 1);
      if (const auto group = ask(*table, standing({}), place_.ready, stop))
        return come_together(*group, table);
    } catch (const CollectiveFailed&) {
      throw;
    } catch (const LeftOut&) {
      throw;
    } catch (const std::runtime_error&) {
      // Its keeper was lost meanwhile.
    }
  }
  {
    // Whoever was lost to this one may stand still as it does.
    const std::lock_guard lock(lost_lock_);
    std::erase_if(lost_, [&](const std::string& node) { return node != place_.node; });
  }
  throw LeftOut("nobody let " + place_.node + " in");
}

std::shared_ptr<SharedStore> ReplicaGroup::reach(const std::string& store, Patience patience) {
  try {
    const auto colon = store.rfind(':');
    return SharedStore::reach(store.substr(0, colon),
                              static_cast<std::uint16_t>(std::stoul(store.substr(colon + 1))),
                              patience);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

Formed ReplicaGroup::reform(const Progress& progress) {
  if (is_lost(place_.node)) throw LeftOut(place_.node + " was told to train no more");
  const StandingWord own = standing(progress);
  for (std::size_t member = 0; member < group_.members.size(); ++member) {
    const std::string& node = group_.members[member];
    if (node == place_.node)
      return come_together(decide(*own_, own, group_.members, place_.settle, /*whole=*/false),
                           own_);
    if (is_lost(node)) continue;
    try {
      const auto table =
          reach(group_.hosts[member] + ":" + std::to_string(group_.ports[member]), reach_patience);
      if (!table) continue;
      // They have gone on already.
      if (const auto newer = group_in(*table);
          newer && newer->epoch > group_.epoch && !contains(newer->members, place_.node))
        throw LeftOut(refusal_of(*newer, place_.node));
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
