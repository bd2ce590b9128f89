#include "gpu/replica_group.hpp"

#include <thread>

#include "gpu/gloo_collective.hpp"
#include "gpu/table_connection.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look{10};
constexpr std::chrono::milliseconds look_in{1'000};      // for a name that must be there
constexpr std::chrono::milliseconds find_again{100};     // each look connects to every table
constexpr std::chrono::milliseconds find_patience{200};  // of one that may never have been
constexpr std::chrono::milliseconds knock_patience{50};  // each of those who are waited for
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
  return parsed<GroupWord>(table.get(group_name, look_in).value());
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
      table_ = find(place_.stores.at(0), {place_.settle, place_.collective});
      formed_already_ = table_ && table_->has(group_name);
    }
    // Those of a run that went on without the first, or without this process's life before.
    found_ = find_group();
    formed_already_ = formed_already_ || found_;
    if (table_ || formed_already_) return;
    if (Clock::now() >= until)
      throw std::runtime_error("the replicas' store at " + place_.stores.at(0) +
                               " cannot be reached");
    std::this_thread::sleep_for(find_again);
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
      const auto table = find(store, {find_patience, find_patience});
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
  if (asked_.store && asked_.keeper == node) asked_.store->give_up();
}

bool ReplicaGroup::is_lost(const std::string& node) const {
  const std::lock_guard lock(lost_lock_);
  return contains(lost_, node);
}

bool ReplicaGroup::joiner_waits() {
  return !group_.members.empty() && group_.members.front() == place_.node &&
         own_->add("joins", 0) > joins_seen_;
}

GroupWord ReplicaGroup::decide(SharedStore& table, const StandingWord& own,
                               std::vector<std::string> awaited, Patience patience, bool whole) {
  const auto until = Clock::now() + patience;
  std::map<std::string, StandingWord> words{{own.node, own}};
  std::map<std::string, std::int64_t> asked;
  std::vector<std::string> gone;
  auto knocks = Clock::now();
  const std::int64_t joins = table.add("joins", 0);
  for (; joins_seen_ < joins; ++joins_seen_)
    if (const auto joiner = table.get(numbered("join", "", joins_seen_ + 1), place_.collective);
        joiner && !contains(awaited, *joiner))
      awaited.push_back(*joiner);
  const auto everybody = [&] {
    return std::all_of(awaited.begin(), awaited.end(), [&](const std::string& node) {
      return words.contains(node) || is_lost(node) || contains(gone, node);
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
    if (Clock::now() >= knocks) {
      for (const auto& node : awaited)
        if (!words.contains(node) && is_gone(node)) gone.push_back(node);
      knocks = Clock::now() + find_again;
    }
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

std::optional<GroupWord> ReplicaGroup::ask(Table table, const StandingWord& own, Patience patience,
                                           const std::atomic<bool>* stop) {
  {
    const std::lock_guard lock(lost_lock_);
    if (contains(lost_, table.keeper)) return std::nullopt;
    asked_ = table;
  }
  const std::shared_ptr<void> behind(nullptr, [&](void*) {
    const std::lock_guard lock(lost_lock_);
    asked_ = {};
  });
  return answer_in(*table.store, own, patience, stop);
}

std::optional<GroupWord> ReplicaGroup::answer_in(SharedStore& table, const StandingWord& own,
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
  const auto group = ask({"", table_}, own, place_.ready + place_.collective);
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
      if (const auto table = table_of(*found, 0)) {
        const std::int64_t number = table->add("joining", 1);
        table->set(numbered("join", "", number), place_.node);
        table->add("joins", 1);
        // Nobody's: that it was lost to this one is why it is asked.
        if (const auto group = ask({"", table}, standing({}), place_.ready, stop))
          return come_together(*group, table);
      }
    } catch (const CollectiveFailed&) {
      throw;
    } catch (const LeftOut&) {
      throw;
    } catch (const std::runtime_error&) {
      // Its keeper was lost meanwhile.
    }
    std::this_thread::sleep_for(find_again);
  }
  {
    // Whoever was lost to this one may stand still as it does.
    const std::lock_guard lock(lost_lock_);
    std::erase_if(lost_, [&](const std::string& node) { return node != place_.node; });
  }
  throw LeftOut("nobody let " + place_.node + " in");
}

std::shared_ptr<SharedStore> ReplicaGroup::find(const std::string& store, TablePatience patience) {
  const auto colon = store.rfind(':');
  return SharedStore::find(store.substr(0, colon),
                           static_cast<std::uint16_t>(std::stoul(store.substr(colon + 1))),
                           patience);
}

std::shared_ptr<SharedStore> ReplicaGroup::table_of(const GroupWord& group,
                                                    std::size_t member) const {
  return SharedStore::find(group.hosts[member], static_cast<std::uint16_t>(group.ports[member]),
                           {place_.settle, place_.collective});
}

bool ReplicaGroup::is_gone(const std::string& node) const {
  const auto at = std::find(group_.members.begin(), group_.members.end(), node);
  if (at == group_.members.end()) return false;  // nobody knows where it would be
  const auto member = static_cast<std::size_t>(at - group_.members.begin());
  return TableConnection().open(group_.hosts[member],
                                static_cast<std::uint16_t>(group_.ports[member]),
                                Clock::now() + knock_patience) == TableConnection::Found::refused;
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
      const auto table = table_of(group_, member);
      if (!table) continue;
      // They have gone on already.
      if (const auto newer = group_in(*table);
          newer && newer->epoch > group_.epoch && !contains(newer->members, place_.node))
        throw LeftOut(refusal_of(*newer, place_.node));
      // Its keeper may still be at its own part of a step, and then waits for others.
      if (const auto group = ask({node, table}, own, place_.collective + place_.settle))
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
