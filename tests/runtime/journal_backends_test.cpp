// What a journal promises, whichever backend keeps it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "actors/decisions/random.hpp"
#include "runtime/telemetry_export.hpp"
#include "tests/property.hpp"
#include "tests/runtime/journal_backends.hpp"
#include "tests/runtime/some_entries.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

std::string fresh_run() {
  static int runs = 0;
  return "run" + std::to_string(++runs);
}

std::unique_ptr<JournalBook> made(JournalBackendUnderTest::Made result) {
  if (!result) UNSCOPED_INFO(result.refusal().sentence);
  REQUIRE(result.has_value());
  return std::move(result.value());
}

bool same(const std::vector<JournalEntry>& left, const std::vector<JournalEntry>& right) {
  const auto text = [](const JournalEntry& entry) {
    return std::to_string(entry.sequence) + "|" + std::to_string(entry.window.value) + "|" +
           std::string{name_of(entry.role)} + "|" + std::to_string(entry.region.value) + "|" +
           std::to_string(entry.ordinal) + "|" + entry.kind + "|" + std::to_string(entry.cause) +
           "|" + entry.payload + "|" + entry.measured;
  };
  return std::ranges::equal(left, right, {}, text, text);
}

/// Entries that say anything at all, in texts that try a database's quoting.
std::vector<JournalEntry> wild_entries(RandomStream& stream, std::uint64_t count) {
  const std::vector<std::string> texts{"",
                                       "{}",
                                       "\"",
                                       "\\",
                                       "{\"a\":[1,2]}",
                                       "NULL",
                                       "null",
                                       ",",
                                       "'; DROP TABLE esper_entries",
                                       "$1",
                                       "ü",
                                       "a\nb",
                                       "\t",
                                       "{\"\\u0000\":\"\\\\\"}",
                                       " ",
                                       "😀"};
  const std::vector<std::string> kinds{"Price", "Outcome", "StrategyPart", "RegionTelemetry"};
  const auto text = [&] { return texts[stream.below(texts.size())]; };
  std::vector<JournalEntry> entries;
  std::uint64_t window = 0;
  for (std::uint64_t i = 1; i <= count; ++i) {
    JournalEntry entry;
    entry.sequence = i;
    entry.window = {window += stream.below(2)};
    entry.role = stream.below(2) == 0 ? Role::narset : Role::tamiyo;
    entry.region = {static_cast<std::uint32_t>(stream.below(3))};
    entry.ordinal = static_cast<std::uint32_t>(stream.below(4'294'967'296));
    entry.kind = kinds[stream.below(kinds.size())];
    entry.cause = stream.below(i);
    entry.payload = text() + text() + text();
    entry.measured = text();
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

SCENARIO("every backend keeps turns in order and tells them as written", "[journal][backends]") {
  with_each_backend([](JournalBackendUnderTest& backend) {
    INFO(backend.name());
    const auto run = fresh_run();
    auto journal = made(backend.create(run));
    CHECK(journal->last_window() == Window{0});
    CHECK(journal->next_sequence() == 1);
    REQUIRE(journal->append(some_entries(4)));
    CHECK(journal->append({}));
    CHECK(journal->next_sequence() == 5);
    CHECK(journal->last_window() == Window{2});
    CHECK(same(journal->read_all(), some_entries(4)));
    CHECK(same(journal->read(Window{2}, Window{2}), some_entries(2, 3)));
    CHECK(journal->head_at(4) == journal->head());
    CHECK(journal->head_at(1).size() == 64);
    CHECK(journal->head_at(5).empty());
    CHECK_THROWS_AS(journal->append(some_entries(1, 6)), InvariantViolation);
    CHECK(backend.create(run).refusal().problem == JournalProblem::exists);
    CHECK(backend.open(fresh_run()).refusal().problem == JournalProblem::missing);

    const auto reader = made(backend.open(run));
    CHECK(reader->head_hash() == journal->head_hash());
    CHECK(reader->decision_hash() == journal->decision_hash());
    CHECK_FALSE(reader->append(some_entries(1, 5)));
    CHECK_FALSE(reader->refusal().empty());
  });
}

SCENARIO("every backend gives back what it was given, and of it what was chosen",
         "[journal][backends]") {
  RandomStream stream(test_seed(), "journal_backends");
  with_each_backend([&](JournalBackendUnderTest& backend) {
    INFO(backend.name());
    for (int round = 0; round < 10; ++round) {
      const auto entries = wild_entries(stream, 1 + stream.below(60));
      auto journal = made(backend.create(fresh_run()));
      for (std::size_t at = 0; at < entries.size();) {
        const auto until = std::min<std::size_t>(entries.size(), at + 1 + stream.below(20));
        REQUIRE(journal->append({entries.begin() + static_cast<std::ptrdiff_t>(at),
                                 entries.begin() + static_cast<std::ptrdiff_t>(until)}));
        at = until;
      }
      REQUIRE(same(journal->read_all(), entries));
      EntryChoice choice;
      for (const char* kind : {"Price", "Outcome", "StrategyPart", "RegionTelemetry", "No kind"}) {
        if (stream.below(3) == 0) choice.kinds.emplace_back(kind);
        if (stream.below(3) == 0) choice.region_kinds.emplace_back(kind);
      }
      choice.region = {static_cast<std::uint32_t>(stream.below(4))};
      const Window from{stream.below(20)}, to{from.value + stream.below(60)};
      REQUIRE(same(journal->read_chosen(from, to, choice),
                   journal->JournalStore::read_chosen(from, to, choice)));
      REQUIRE(journal->check().ends_at(journal->head_hash()));
    }
  });
}

SCENARIO("in every backend a turn is refused whole and goes in later", "[journal][backends]") {
  with_each_backend([](JournalBackendUnderTest& backend) {
    INFO(backend.name());
    const ScratchFolder folder;
    RegistryMetrics metrics;
    std::vector<std::uint64_t> followed;
    {
      JsonLog log{folder / "esper.log"};
      auto journal = made(backend.create(fresh_run()));
      journal->watch(metrics, log);
      journal->set_follower([&](const auto& entries) { followed.push_back(entries.size()); });
      REQUIRE(journal->append(some_entries(2)));
      const auto head = journal->head_hash();
      journal->set_fault([](std::uint64_t sequence) { return sequence == 5; });
      CHECK_FALSE(journal->append(some_entries(3, 3)));
      CHECK_FALSE(journal->append(some_entries(3, 3)));
      CHECK(journal->refusal().find("injected") != std::string::npos);
      CHECK(journal->read_all().size() == 2);
      CHECK(journal->head_hash() == head);
      CHECK(journal->next_sequence() == 3);
      journal->set_fault({});
      CHECK(journal->append(some_entries(3, 3)));
      CHECK(journal->refusal().empty());
      CHECK(journal->check().holds());
    }
    CHECK(followed == std::vector<std::uint64_t>{2, 3});
    const auto all = nlohmann::json::parse(metrics.snapshot());
    CHECK(all.at("esper_journal_append_seconds{role=\"journal\"}").at("count") == 4);
    CHECK(all.at("esper_journal_entries_total{role=\"journal\"}") == 5);
    const auto log = file_text(folder / "esper.log");
    CHECK(std::count(log.begin(), log.end(), '\n') == 2);
    CHECK(log.find("\"disk_refuses\"") < log.find("\"disk_takes_again\""));
  });
}

SCENARIO(
    "AUDIT-1: in every backend an edited entry breaks the chain there, and what was cut is seen",
    "[journal][backends][audit]") {
  with_each_backend([](JournalBackendUnderTest& backend) {
    INFO(backend.name());
    for (const char* change :
         {"payload = payload || ' '", "measured = ''", "kind = 'Mint'", "role = 'tamiyo'",
          "role = 'nobody'", "region = region + 1", "region = 4294967296 + region",
          "ordinal = ordinal + 1", "cause = 1000", "hash = ''", "sequence = 100", "DELETE"}) {
      INFO(change);
      const auto run = fresh_run();
      JournalSeal seal;
      {
        auto journal = made(backend.create(run));
        REQUIRE(journal->append(some_entries(6)));
        const auto sealed = journal->seal();
        REQUIRE(sealed.has_value());
        seal = sealed.value();
        CHECK(journal->digest() == seal.file_sha256);
      }
      backend.edit(run, change, "sequence = 3");
      const auto reader = made(backend.open(run));
      CHECK(reader->check().first_broken == 3);
      CHECK(reader->digest() != seal.file_sha256);
      CHECK(backend.resume(run).refusal().problem == JournalProblem::not_a_journal);
    }
    const auto run = fresh_run();
    JournalSeal seal;
    {
      auto journal = made(backend.create(run));
      REQUIRE(journal->append(some_entries(6)));
      seal = journal->seal().value();
    }
    backend.edit(run, "DELETE", "sequence = 6");
    const auto reader = made(backend.open(run));
    CHECK_FALSE(reader->check().ends_at(seal.head_hash));
    CHECK(reader->digest() != seal.file_sha256);
  });
}

SCENARIO("in every backend a sealed journal can be read, takes nothing, and goes on when resumed",
         "[journal][backends]") {
  with_each_backend([](JournalBackendUnderTest& backend) {
    INFO(backend.name());
    const auto run = fresh_run();
    JournalSeal seal;
    {
      auto journal = made(backend.create(run));
      REQUIRE(journal->append(some_entries(3)));
      seal = journal->seal().value();
      CHECK(seal.entries == 3);
      CHECK(journal->read_all().size() == 3);
      CHECK_FALSE(journal->append(some_entries(1, 4)));
      CHECK(journal->seal().value().file_sha256 == seal.file_sha256);
    }
    CHECK(made(backend.open(run))->digest() == seal.file_sha256);
    auto resumed = made(backend.resume(run));
    CHECK(resumed->next_sequence() == 4);
    CHECK(resumed->head_hash() == seal.head_hash);
    CHECK(resumed->append(some_entries(2, 4)));
    CHECK(resumed->check().entries == 5);
    CHECK(resumed->digest() != seal.file_sha256);
    // A run that was killed before it had a journal begins one.
    CHECK(made(backend.resume(fresh_run()))->next_sequence() == 1);
  });
}

}  // namespace esper
