// Replicas that are lost and that come: who is left goes on together, from the furthest state, and
// no sample is used twice or left out.
#include <map>

#include "actors/decisions/witness.hpp"
#include "gpu/replica_group.hpp"
#include "gpu/state_text.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/replica_threads.hpp"
#include "tests/gpu/smooth_host.hpp"
#include "tests/long_tier.hpp"

using namespace esper;

namespace {

/// Ends a replica's thread in the middle of whatever it does. No std::exception: nobody catches it
/// on the way.
struct Death {};

struct Member {
  std::string name;
  std::uint64_t dies_at{};       ///< as this tick begins; 0: not so
  std::uint64_t dies_in_sum{};   ///< in this tick, after its backward pass
  bool dies_in_prepare{};        ///< when the first seed is to be built
  std::uint64_t joins_behind{};  ///< it comes when the leader has closed this window; 0: at first
};

struct Ended {
  bool dead{};
  Digest digest;
  std::map<std::uint64_t, std::uint64_t> completed;  ///< batches, counted from 1, to the epoch
  std::uint64_t epoch{}, last_window{}, step{};
  std::size_t world{};
  std::vector<SeedStatus> seeds;
};

/// Two trainers' witness, in this process, where the gate would lead to.
class NearWitness {
 public:
  [[nodiscard]] AskWitnesses way() {
    return [this](const WitnessQuestion& question, std::chrono::milliseconds) {
      const std::lock_guard lock(lock_);
      return std::vector{witness_.answer(question)};
    };
  }

 private:
  std::mutex lock_;
  Witness witness_{{{"a", true}, {"b", true}, {"w", false}}, "w"};
};

GroupPlace one_of_two(const char* name, NearWitness& witness) {
  GroupPlace place;
  place.node = name;
  place.nodes = {"a", "b"};
  place.witnesses = {"w"};
  place.ask_witnesses = witness.way();
  return place;
}

class Elastic {
 public:
  /// `witness`: a third vote, by which more than half is asked for; null: everybody may go on.
  Elastic(std::vector<Member> members, std::uint64_t windows, NearWitness* witness = nullptr)
      : members_(std::move(members)),
        windows_(windows),
        witness_(witness),
        ended_(members_.size()) {}

  /// `act` as the leader's control side, before each window.
  std::vector<Ended> play(const std::function<void(TestLoop&, std::uint64_t)>& act) {
    at::set_num_threads(1);
    std::vector<std::thread> threads;
    std::exception_ptr first;
    std::mutex lock;
    for (std::size_t i = 0; i < members_.size(); ++i)
      threads.emplace_back([&, i] {
        try {
          at::set_num_threads(1);
          live(i, act);
        } catch (const Death&) {
          ended_[i].dead = true;
        } catch (...) {
          const std::lock_guard guard(lock);
          if (!first) first = std::current_exception();
        }
      });
    for (auto& thread : threads) thread.join();
    if (first) std::rethrow_exception(first);
    return ended_;
  }

 private:
  GroupPlace place_of(std::size_t i) {
    GroupPlace place;
    place.node = members_[i].name;
    for (const auto& member : members_) {
      place.nodes.push_back(member.name);
      if (member.joins_behind == 0) place.first.push_back(member.name);
    }
    place.leads = i == 0;
    place.quorum = witness_ == nullptr ? QuorumRule::none : QuorumRule::majority;
    if (witness_ != nullptr) {
      place.witnesses = {"w"};
      place.ask_witnesses = witness_->way();
    }
    place.settle = std::chrono::milliseconds{20'000};
    while (i > 0 && port_.load() == 0) std::this_thread::yield();
    if (i > 0) place.stores = {"127.0.0.1:" + std::to_string(port_.load())};
    return place;
  }

  void live(std::size_t i, const std::function<void(TestLoop&, std::uint64_t)>& act) {
    const Member& self = members_[i];
    while (leader_window_.load() < self.joins_behind)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ReplicaGroup group(place_of(i));
    if (i == 0) port_.store(group.port());
    Formed formed = self.joins_behind > 0 ? group.join() : group.form({});
    std::uint32_t source = formed.source;
    SessionSettings settings = test_settings();
    if (self.dies_in_prepare)
      settings.builder = [](const Blueprint&, std::uint32_t,
                            at::Generator&) -> std::shared_ptr<SeedModule> { throw Death{}; };
    ReplicaUnderTest own(std::move(formed.collective), settings, smooth_host());
    TestLoop& loop = *own.loop;
    if (i > 0) loop.exchange->leave_unattended();
    loop.spoil = [&](Batch&) {
      if (loop.session->tick().value + 1 == self.dies_at) throw Death{};
    };
    loop.behind_backward = [&] {
      if (loop.session->tick().value == self.dies_in_sum) throw Death{};
    };
    const auto share = [&] {
      const std::uint64_t step =
          2 * loop.session->tick().value - (loop.session->at_boundary() ? 1 : 0);
      const bool behind = group.behind({.epoch = 0, .step = step, .position = 0});
      if (own.replicas->count(behind) > 0) {
        const std::string text = own.replicas->from_leader(
            own.replicas->rank() == source ? text_of(loop.session->standing()) : std::string{},
            source);
        if (behind) loop.session->stand_as(content_of(text), group.group().step % 2 == 1);
      }
      group.took_state();
      loop.session->finish_boundary();
    };
    share();
    while (loop.session->last_window().value < windows_) {
      try {
        if (i == 0 && loop.session->tick().value % loop.window_steps == 0) {
          leader_window_.store(loop.session->last_window().value);
          act(loop, loop.session->last_window().value);
        }
        if (i == 0 && !own.replicas->regroup_asked() && group.joiner_waits())
          own.replicas->ask_to_regroup();
        loop.punctual = i == 0;
        (void)loop.tick();
        ended_[i].completed[loop.drawn] = group.group().epoch;
        if (!own.replicas->regroup_due()) continue;
      } catch (const CollectiveFailed&) {
        // At a boundary the step before it is done.
        if (loop.session->at_boundary()) ended_[i].completed[loop.drawn] = group.group().epoch;
        loop.session->undo_step();
      }
      while (true) try {
          const std::uint64_t step =
              2 * loop.session->tick().value - (loop.session->at_boundary() ? 1 : 0);
          Formed next = group.reform({.epoch = 0, .step = step, .position = 0});
          source = next.source;
          own.replicas->regroup(std::move(next.collective));
          share();
          break;
        } catch (const CollectiveFailed&) {
        }
    }
    ended_[i].digest = shared_digest(loop);
    ended_[i].epoch = group.group().epoch;
    ended_[i].last_window = loop.session->last_window().value;
    ended_[i].step = loop.session->step().value;
    ended_[i].world = own.replicas->world();
    ended_[i].seeds = loop.session->bed().status();
    own.replicas->leave();
  }

  std::vector<Member> members_;
  std::uint64_t windows_;
  NearWitness* witness_;
  std::vector<Ended> ended_;
  std::atomic<std::uint32_t> port_{0};
  std::atomic<std::uint64_t> leader_window_{0};
};

void germinate_and_graft(TestLoop& loop, std::uint64_t window) {
  if (window == 1) loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
  if (window == 6) loop.order_next(loop.command(CommandKind::graft, 0, 0, 1));
  if (window == 8) loop.order_next(loop.command(CommandKind::advance, 0, 0, 1));
}

/// All that are left have the same bits; every batch was completed in one epoch, none in two.
void whole_and_alike(const std::vector<Ended>& ended, std::uint64_t batches, std::size_t left) {
  const Ended* one = nullptr;
  std::size_t living = 0;
  std::map<std::uint64_t, std::uint64_t> completed;
  for (const Ended& each : ended) {
    for (const auto& [batch, epoch] : each.completed) {
      const auto [known, first] = completed.emplace(batch, epoch);
      CHECK(known->second == epoch);
    }
    if (each.dead) continue;
    ++living;
    CHECK(each.world == left);
    if (one != nullptr) CHECK(differing(one->digest, each.digest) == 0);
    one = &each;
  }
  CHECK(living == left);
  REQUIRE(completed.size() == batches);
  CHECK(completed.begin()->first == 1);
  CHECK(completed.rbegin()->first == batches);
}

}  // namespace

SCENARIO("a lost replica leaves the others training, and no sample twice or left out",
         "[replicas][elastic]") {
  for (std::size_t victim = 0; victim < 3; ++victim)
    for (const bool in_sum : {false, true})
      GIVEN("the replica of rank " + std::to_string(victim) + " dies " +
            (in_sum ? "before its sum" : "between two steps")) {
        std::vector<Member> members{{.name = "a"}, {.name = "b"}, {.name = "c"}};
        (in_sum ? members[victim].dies_in_sum : members[victim].dies_at) = 23;
        const auto ended = Elastic(members, 8).play(germinate_and_graft);
        THEN("two go on in the next epoch, bit-identical") {
          whole_and_alike(ended, 40, 2);
          for (const Ended& each : ended)
            if (!each.dead) CHECK(each.epoch == 2);
        }
      }
}

SCENARIO("of two replicas one goes on with a witness's vote", "[replicas][elastic][quorum]") {
  for (std::size_t victim = 0; victim < 2; ++victim)
    GIVEN("the replica of rank " + std::to_string(victim) + " dies") {
      std::vector<Member> members{{.name = "a"}, {.name = "b"}};
      members[victim].dies_at = 23;
      NearWitness witness;
      const auto ended = Elastic(members, 8, &witness).play(germinate_and_graft);
      THEN("the other trains to the end, and no sample is used twice or left out") {
        whole_and_alike(ended, 40, 1);
      }
    }
}

SCENARIO("of two that are cut from each other one goes on, whoever asks the witness",
         "[replicas][elastic][quorum]") {
  const int rounds = cases(5, 50);
  for (int round = 0; round < rounds; ++round) {
    NearWitness witness;
    const bool witness_away = round % 5 == 4;  // and never comes back
    const auto place_of = [&](const char* name) {
      GroupPlace place = one_of_two(name, witness);
      if (witness_away)
        place.ask_witnesses = [](const WitnessQuestion&, std::chrono::milliseconds) {
          return std::vector<WitnessAnswer>{};
        };
      place.settle = std::chrono::milliseconds{500};
      return place;
    };
    auto first = place_of("a");
    first.leads = true;
    first.run = 7;
    ReplicaGroup a(first);
    auto second = place_of("b");
    second.stores = {"127.0.0.1:" + std::to_string(a.port())};
    ReplicaGroup b(second);
    const Progress reached{.epoch = 0, .step = 40, .position = 20};
    std::atomic<int> together{0}, going_on{0}, left_out{0};
    const auto live = [&](ReplicaGroup& group, const std::string& other) {
      auto formed = group.form({});
      group.took_state();
      // Neither leaves before both are in.
      for (++together; together.load() < 2;) std::this_thread::yield();
      group.lost(other);
      // As Trainer::regroup: by turns, until it is in a group again.
      for (bool joins = false;; joins = !joins) try {
          formed = joins ? group.join() : group.reform(reached);
          break;
        } catch (const LeftOut&) {
          ++left_out;
          // The other went on, and lets nobody in here: that is enough.
          if (!witness_away) return;
        } catch (const CollectiveFailed&) {
        }
      ++going_on;
    };
    std::thread beside([&] { live(b, "a"); });
    live(a, "b");
    beside.join();
    CAPTURE(round, witness_away);
    if (witness_away) {  // both stood still, and come together when they hear of each other again
      CHECK(left_out >= 2);
      CHECK(going_on == 2);
      CHECK(a.group().members.size() == 2);
      CHECK(b.group().epoch == a.group().epoch);
    } else {
      CHECK(going_on == 1);
      CHECK(left_out == 1);
    }
  }
}

SCENARIO("a replica that gave the others up asks them once, and is let in",
         "[replicas][elastic][quorum]") {
  NearWitness witness;
  auto first = one_of_two("a", witness);
  first.leads = true;
  ReplicaGroup a(first);
  auto second = one_of_two("b", witness);
  second.stores = {"127.0.0.1:" + std::to_string(a.port())};
  ReplicaGroup b(second);
  const Progress reached{.epoch = 0, .step = 40, .position = 20};
  std::atomic<int> together{0};
  std::atomic<bool> alone{false};
  std::thread beside([&] {
    auto formed = b.form({});
    b.took_state();
    b.lost("a");
    ++together;
    while (!alone) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    formed = b.join();
  });
  auto formed = a.form({});
  a.took_state();
  while (together == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  a.lost("b");
  formed = a.reform(reached);
  a.took_state();
  CHECK(a.group().members == std::vector<std::string>{"a"});
  alone = true;
  while (!a.joiner_waits()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // Time for more than one.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const auto table = SharedStore::find("127.0.0.1", a.port(), {replica_patience, replica_patience});
  REQUIRE(table);
  CHECK(table->add("joins", 0) == 1);
  formed = a.reform(reached);
  beside.join();
  CHECK(a.group().members.size() == 2);
  CHECK(b.group().epoch == a.group().epoch);
}

SCENARIO("a replica that dies between prepare and commit leaves nothing half done",
         "[replicas][elastic][COMMIT-1]") {
  for (std::size_t victim = 0; victim < 3; ++victim)
    GIVEN("the replica of rank " + std::to_string(victim)) {
      std::vector<Member> members{{.name = "a"}, {.name = "b"}, {.name = "c"}};
      members[victim].dies_in_prepare = true;
      const auto ended = Elastic(members, 6).play(germinate_and_graft);
      THEN("the seed stands on both that are left, or on none") {
        whole_and_alike(ended, 30, 2);
        std::vector<std::size_t> standing;
        for (const Ended& each : ended)
          if (!each.dead) standing.push_back(each.seeds.size());
        CHECK(standing[0] == standing[1]);
      }
    }
}

SCENARIO("a replica that joins is bit-identical from a window's boundary on",
         "[replicas][elastic]") {
  GIVEN("two that train, with a seed, and one that comes later") {
    const auto ended = Elastic({{.name = "a"}, {.name = "b"}, {.name = "c", .joins_behind = 4}}, 14)
                           .play(germinate_and_graft);
    THEN("three end with the same bits") { whole_and_alike(ended, 70, 3); }
  }
  GIVEN("one lost, and another that comes") {
    const auto ended =
        Elastic({{.name = "a"}, {.name = "b", .dies_at = 12}, {.name = "c", .joins_behind = 4}}, 14)
            .play(germinate_and_graft);
    THEN("two end with the same bits") { whole_and_alike(ended, 70, 2); }
  }
}
