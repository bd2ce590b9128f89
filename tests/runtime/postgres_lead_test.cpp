// One leader at a time: processes that were stopped or killed, a server that dies in the middle.
#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>

#include "actors/decisions/random.hpp"
#include "runtime/postgresql/connection_string.hpp"
#include "tests/runtime/journal_backends.hpp"
#include "tests/runtime/some_entries.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

using std::chrono::milliseconds;

/// A process of its own that leads a run and appends a turn after the other, until it is refused
/// for good; it notes each acknowledged turn's last sequence, and at last why it ended.
class LeaderProcess {
 public:
  LeaderProcess(const PostgresPlace& place, std::filesystem::path notes)
      : notes_(std::move(notes)) {
    child_ = ::fork();
    if (child_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    append_for_ever(place, notes_);
    ::_exit(0);
  }
  ~LeaderProcess() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    end();
  }
  LeaderProcess(const LeaderProcess&) = delete;
  LeaderProcess& operator=(const LeaderProcess&) = delete;

  void signal(int number) const { ::kill(child_, number); }
  void end() { ::waitpid(std::exchange(child_, 0), nullptr, 0); }
  /// Sequences, and behind them the refusal once there was one.
  [[nodiscard]] std::vector<std::string> notes() const {
    std::ifstream input{notes_};
    std::vector<std::string> lines;
    for (std::string line; std::getline(input, line);) lines.push_back(line);
    return lines;
  }
  void wait_for_notes(std::size_t count) const {
    while (notes().size() < count) std::this_thread::sleep_for(milliseconds{1});
  }

 private:
  static void append_for_ever(const PostgresPlace& place, const std::filesystem::path& notes) {
    auto made = PostgresJournal::create(place);
    std::ofstream output{notes};
    if (!made) {
      output << made.refusal().sentence << std::endl;
      return;
    }
    auto& journal = *made.value();
    while (!journal.deposed()) {
      if (journal.append(some_entries(3, journal.next_sequence())))
        output << journal.next_sequence() - 1 << std::endl;
    }
    (void)journal.append(some_entries(1, journal.next_sequence()));
    output << journal.refusal() << std::endl;
  }

  std::filesystem::path notes_;
  pid_t child_{};
};

std::string fresh_run() {
  static int runs = 0;
  return "led" + std::to_string(++runs);
}

std::unique_ptr<PostgresJournal> made(PostgresJournal::Made result) {
  if (!result) UNSCOPED_INFO(result.refusal().sentence);
  REQUIRE(result.has_value());
  REQUIRE(result.value() != nullptr);
  return std::move(result.value());
}

}  // namespace

SCENARIO("FENCE-1: nothing that a stopped leader does after another took over has any effect",
         "[journal][postgresql][FENCE-1]") {
  if (!can_run_postgres()) return;
  // Where its successor has written nothing yet, the epoch alone stands against it.
  for (const std::uint64_t at_once : {0U, 2U}) {
    INFO("the successor writes " << at_once << " entries before it goes on");
    const ScratchFolder folder;
    const auto place = PostgresUnderTest(shared_server()).place(fresh_run());
    const std::atomic<bool> never{false};
    LeaderProcess old(place, folder / "notes");
    old.wait_for_notes(5);
    old.signal(SIGSTOP);
    // It is silent for longer than the confirmation time: then, and only then, this returns.
    auto journal = made(PostgresJournal::stand_by(place, never));
    CHECK(journal->epoch() == 2);
    const auto taken_at = journal->next_sequence() - 1;
    const auto told = old.notes();
    // Every turn that it was told of stands; one more may, whose answer it never saw.
    CHECK(taken_at >= std::stoull(told.back()));
    CHECK(taken_at <= std::stoull(told.back()) + 3);
    REQUIRE(journal->append(some_entries(at_once, journal->next_sequence())));
    old.signal(SIGCONT);
    old.end();
    REQUIRE(journal->append(some_entries(2, journal->next_sequence())));
    const auto after = old.notes();
    CHECK(after.back().find("deposed") != std::string::npos);
    // Nothing was acknowledged to it after the take-over, and nothing stands that its successor
    // did not write.
    CHECK(after.size() <= told.size() + 2);
    CHECK(std::stoull(after.at(after.size() - 2)) <= taken_at);
    CHECK(journal->next_sequence() - 1 == taken_at + at_once + 2);
    const auto check = journal->check();
    INFO(check.problem);
    CHECK(check.ends_at(journal->head_hash()));
  }
}

SCENARIO("a leader that lives is not taken over from, one that left or was killed is",
         "[journal][postgresql]") {
  if (!can_run_postgres()) return;
  const auto place = PostgresUnderTest(shared_server()).place(fresh_run());
  const std::atomic<bool> never{false};
  {
    auto leader = made(PostgresJournal::create(place));
    REQUIRE(leader->append(some_entries(2)));
    CHECK(PostgresJournal::resume(place).refusal().problem == JournalProblem::led);
    std::atomic<bool> stop{false};
    std::jthread ends([&] {
      std::this_thread::sleep_for(milliseconds{3 * place.timeouts.confirmation_ms});
      stop = true;
    });
    const auto stood = PostgresJournal::stand_by(place, stop);
    REQUIRE(stood.has_value());
    CHECK(stood.value() == nullptr);
    CHECK(leader->append(some_entries(2, 3)));
  }
  auto second = made(PostgresJournal::stand_by(place, never));
  CHECK(second->epoch() == 2);
  CHECK(second->next_sequence() == 5);
  CHECK(PostgresJournal::stand_by(PostgresUnderTest(shared_server()).place("nobody's"), never)
            .refusal()
            .problem == JournalProblem::missing);
}

SCENARIO("two standbys never both lead", "[journal][postgresql][FENCE-1]") {
  if (!can_run_postgres()) return;
  const auto place = PostgresUnderTest(shared_server()).place(fresh_run());
  { auto leader = made(PostgresJournal::create(place)); }
  for (int round = 0; round < 20; ++round) {
    PostgresConnection one(place.database, place.patience()),
        other(place.database, place.patience());
    const auto seen = lead_of(one, place.run);
    REQUIRE(seen.has_value());
    std::optional<std::uint64_t> first, second;
    {
      const std::jthread beside([&] { second = take_lead(other, place.run, *seen); });
      first = take_lead(one, place.run, *seen);
    }
    CHECK(first.has_value() != second.has_value());
    CHECK(lead_of(one, place.run)->epoch == seen->epoch + 1);
  }
}

SCENARIO("a leader's silence is counted from looks that succeed", "[journal][postgresql]") {
  LeaderWatch watch(100);
  PostgresLead row{.epoch = 1, .renewals = 5, .held = true, .entries = 0, .head = ""};
  CHECK_FALSE(watch.silent(row, 1'000));
  CHECK_FALSE(watch.silent(row, 1'099));
  CHECK(watch.silent(row, 1'100));
  ++row.renewals;  // it lives after all
  CHECK_FALSE(watch.silent(row, 1'200));
  CHECK_FALSE(watch.silent(row, 1'299));
  watch.blind();  // the server was away: the leader could not renew either
  CHECK_FALSE(watch.silent(row, 5'000));
  CHECK(watch.silent(row, 5'100));
  ++row.epoch;  // another one took over
  CHECK_FALSE(watch.silent(row, 5'200));
  row.held = false;  // and left
  CHECK(watch.silent(row, 5'201));
}

SCENARIO("of a server killed in the middle of appends nothing acknowledged is lost, nothing twice",
         "[journal][postgresql]") {
  if (!can_run_postgres()) return;
  RandomStream stream(test_seed(), "killed_server");
  PostgresServer server;
  const auto place = PostgresUnderTest(server).place("run");
  auto journal = made(PostgresJournal::create(place));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> refused{0}, taken{0};
  std::vector<JournalEntry> acknowledged;
  std::jthread appends([&] {
    RandomStream own(test_seed(), "killed_server.appends");
    std::uint64_t tried = 0;
    while (!stop) {
      const auto next = journal->next_sequence();
      // A turn that was refused may have become another one when it is tried again.
      auto turn = some_entries(1 + own.below(4), next);
      turn.back().payload += " " + std::to_string(own.below(2) == 0 ? ++tried : tried);
      if (journal->append(turn)) {
        acknowledged.insert(acknowledged.end(), turn.begin(), turn.end());
        ++taken;
      } else {
        ++refused;
      }
    }
  });
  const auto wait_for_turns = [&](std::uint64_t more) {
    const auto enough = taken + more;
    for (int left = 60'000; taken < enough && left > 0; --left)
      std::this_thread::sleep_for(milliseconds{1});
    CHECK(taken >= enough);
  };
  for (int kill = 0; kill < 6; ++kill) {
    wait_for_turns(1 + stream.below(40));
    server.end(SIGQUIT);
    server.begin();
  }
  wait_for_turns(10);
  stop = true;
  appends.join();
  CHECK(refused > 0);
  const auto seal = journal->seal();
  REQUIRE(seal.has_value());
  CHECK(seal.value().entries == acknowledged.size());
  const auto reader = made(PostgresJournal::open(place));
  const auto all = reader->read_all();
  REQUIRE(all.size() == acknowledged.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].sequence == i + 1);
    REQUIRE(all[i].payload == acknowledged[i].payload);
  }
  CHECK(reader->check().ends_at(seal.value().head_hash));
}

SCENARIO("a server that gives no sign is not waited for without an end",
         "[journal][postgresql][ANSWER-1]") {
  if (!can_run_postgres()) return;
  PostgresServer server;
  auto place = PostgresUnderTest(server).place("run");
  place.timeouts.request_ms = 300;
  auto journal = made(PostgresJournal::create(place));
  REQUIRE(journal->append(some_entries(2)));
  server.hang(true);
  CHECK_FALSE(journal->append(some_entries(2, 3)));
  CHECK(journal->refusal().find("no sign") != std::string::npos);
  server.hang(false);
  // What was sent into the silence came through, or did not: either way the turn stands once.
  while (!journal->append(some_entries(2, 3))) std::this_thread::sleep_for(milliseconds{10});
  CHECK(journal->read_all().size() == 4);
  CHECK(journal->check().ends_at(journal->head_hash()));
}

SCENARIO("a connection string with a password is refused, and nothing of it is repeated",
         "[postgresql][config]") {
  for (const char* where :
       {"host=db user=esper password=geheim", "postgresql://esper:geheim@db/esper",
        "host=db sslpassword='geheim'", "host=db geheim"}) {
    const auto problem = connection_string_problem(where);
    INFO(where << ": " << problem);
    CHECK_FALSE(problem.empty());
    CHECK(problem.find("geheim") == std::string::npos);
  }
  CHECK_FALSE(connection_string_problem("").empty());
  for (const char* where : {"host=db user=esper dbname=esper", "postgresql://esper@db/esper",
                            "service=esper", "host=db passfile=/etc/esper/pgpass"})
    CHECK(connection_string_problem(where).empty());
}

}  // namespace esper
