// A byte that is not what it was, in a killed run's journal, its log, or its checkpoints.
#include <fstream>
#include <iostream>

#include "actors/decisions/random.hpp"
#include "gpu/checkpoint_folder.hpp"
#include "messages/json.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_log.hpp"
#include "runtime/read_run.hpp"
#include "runtime/resume.hpp"
#include "tests/durability/watched_run.hpp"
#include "tests/long_tier.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// One byte changed while it lives, then put back; whatever else happened to the file is, too.
class Flip {
 public:
  Flip(fs::path file, RandomStream& stream) : file_(std::move(file)), whole_(file_text(file_)) {
    place_ = stream.below(whole_.size());
    auto changed = whole_;
    changed[place_] = static_cast<char>(changed[place_] ^ static_cast<char>(1 + stream.below(255)));
    write_text(file_, changed);
  }
  ~Flip() { write_text(file_, whole_); }
  Flip(const Flip&) = delete;
  Flip& operator=(const Flip&) = delete;

  [[nodiscard]] std::string where() const {
    return file_.filename().string() + ", byte " + std::to_string(place_) + " of " +
           std::to_string(whole_.size());
  }

 private:
  fs::path file_;
  std::string whole_;
  std::size_t place_{};
};

struct Tally {
  int flips{}, named{}, torn{}, without_effect{};
};

void print(const std::string& what, const Tally& tally) {
  std::cout << "| " << what << " | " << tally.flips << " | " << tally.named << " | " << tally.torn
            << " | " << tally.without_effect << " |\n"
            << std::flush;
}

bool names(const std::vector<std::string>& troubles, const std::string& file) {
  return std::any_of(troubles.begin(), troubles.end(), [&](const std::string& trouble) {
    return trouble.find(file) != std::string::npos;
  });
}

std::vector<std::string> texts_of(const std::vector<JournalEntry>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const auto& entry : entries) texts.push_back(canonical(entry));
  return texts;
}

/// Found and named, or every entry is what it was. The third: the end of the log is not whole, and
/// what it held last is not told; a power cut would leave the same.
void judge(const fs::path& run, const std::vector<std::string>& entries, Tally& tally) {
  ++tally.flips;
  const auto read = read_run(run);
  if (read.exit != ExitCode::fine) {
    CHECK(names(read.troubles, "journal.db"));
    ++tally.named;
    return;
  }
  const auto now = texts_of(read.entries);
  if (now == entries) {
    ++tally.without_effect;
    return;
  }
  CHECK(check_log(run / "journal.db").torn);
  ++tally.torn;
  // The last transaction alone.
  REQUIRE(now.size() < entries.size());
  CHECK(std::equal(now.begin(), now.end(), entries.begin()));
  const auto window = [](const std::string& text) {
    return nlohmann::json::parse(text).at("window").get<std::uint64_t>();
  };
  CHECK(window(now.back()) + 1 == window(entries.back()));
  CHECK(window(entries[now.size()]) == window(entries.back()));
}

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// Of the real process.
void check_refused(const PlainRuns& runs, const std::string& run, const std::string& file) {
  const auto ended = runs.ended(PlainRuns::resume(run));
  INFO(ended.err);
  CHECK(ended.code == number_of(ExitCode::invariant));
  CHECK(ended.err.find(file) != std::string::npos);
  fs::remove(runs / run / "report.json");
  fs::remove(runs / run / "report.html");
}

}  // namespace

SCENARIO("a flipped byte of a killed run's journal is found and named, or changes nothing",
         "[durability][flip][audit]") {
  if (!can_run_plain()) return;
  const std::uint64_t seed = test_seed();
  RandomStream stream(seed, "durability.flips");
  const PlainRuns runs(plain_config(seed, 200));
  const int flips = cases(20, 200);
  std::cout
      << "| flipped in | bytes | found and named | end of the log torn | every entry as before "
         "|\n|---|---|---|---|---|\n";
  // Most of it in the log, and folded into the database but for the log's end.
  for (const auto& [failpoint, windows] :
       {std::pair{"journal_committed:91", "90"}, std::pair{"journal_committed:181", "180"}}) {
    const std::string run = std::string{"killed_at_"} + windows;
    REQUIRE(runs.go_on(run, failpoint).code == killed_code);
    const auto database = runs / run / "journal.db", log = runs / run / "journal.db-wal";
    REQUIRE(fs::file_size(log) > 0);
    const auto read = read_run(runs / run);
    REQUIRE(read.exit == ExitCode::fine);
    const auto entries = texts_of(read.entries);
    int named = 0;
    for (const auto& file : {database, log}) {
      Tally tally;
      for (int i = 0; i < flips; ++i) {
        const Flip flip(file, stream);
        INFO(flip.where());
        judge(runs / run, entries, tally);
      }
      named += tally.named;
      print(file.filename().string() + " of a run killed in turn " + windows, tally);
    }
    CHECK(named > 0);
    CHECK(texts_of(read_run(runs / run).entries) == entries);
  }
}

SCENARIO("a run whose journal or log is damaged is not gone on with", "[durability][flip][audit]") {
  if (!can_run_plain()) return;
  const std::uint64_t seed = test_seed();
  RandomStream stream(seed, "durability.refused");
  const PlainRuns runs(plain_config(seed, 60));
  const std::string run = "killed";
  REQUIRE(runs.go_on(run, "journal_committed:40").code == killed_code);
  copy_run(runs / run, runs / "copy");
  int refused = 0;
  for (int i = 0; i < cases(20, 60); ++i) {
    for (const char* name : {"journal.db", "journal.db-wal", "journal.db-shm"}) {
      fs::remove(runs / run / name);
      if (fs::exists(runs / "copy" / name)) fs::copy_file(runs / "copy" / name, runs / run / name);
    }
    const Flip flip(runs / run / "journal.db-wal", stream);
    if (read_run(runs / run).exit == ExitCode::fine) continue;
    INFO(flip.where());
    const auto journal = bytes_of(runs / run / "journal.db"),
               log = bytes_of(runs / run / "journal.db-wal");
    check_refused(runs, run, "journal.db");
    CHECK((bytes_of(runs / run / "journal.db") == journal));  // left as it was found
    CHECK((bytes_of(runs / run / "journal.db-wal") == log));
    ++refused;
  }
  CHECK(refused > 0);
}

SCENARIO("a flipped byte of a checkpoint is found and named, and the one before it is taken",
         "[durability][flip][checkpoint]") {
  if (!can_run_plain()) return;
  const std::uint64_t seed = test_seed();
  RandomStream stream(seed, "durability.checkpoints");
  const PlainRuns runs(plain_config(seed, 48));
  REQUIRE(runs.go_on("whole").code == 0);
  const std::string run = "killed";
  REQUIRE(runs.go_on(run, "journal_committed:40").code == killed_code);
  const auto files = checkpoint_files(runs / run / "checkpoints");
  REQUIRE(files.size() >= 2);
  const auto journal = Journal::open(runs / run / "journal.db");
  REQUIRE(journal.has_value());
  Tally tally;
  for (int i = 0; i < cases(20, 200); ++i) {
    const Flip flip(files.back(), stream);
    INFO(flip.where());
    const auto choice =
        choose_checkpoint(find_checkpoints(runs / run / "checkpoints"), *journal.value());
    REQUIRE(choice.has_value());
    ++tally.flips;
    REQUIRE(names(choice.value().passed_over, files.back().filename().string()));
    ++tally.named;
    CHECK(choice.value().point.checkpoint == files[files.size() - 2].string());
  }
  print(files.back().filename().string(), tally);

  // The real process, from each of them damaged in turn.
  copy_run(runs / run, runs / "copy");
  for (int i = 0; i < cases(2, 20); ++i) {
    fs::remove_all(runs / run);
    copy_run(runs / "copy", runs / run);
    const auto newest = checkpoint_files(runs / run / "checkpoints").back();
    const auto ended = [&] {
      auto bytes = file_text(newest);
      auto& byte = bytes[stream.below(bytes.size())];
      byte = static_cast<char>(byte ^ static_cast<char>(1 + stream.below(255)));
      write_text(newest, bytes);
      return runs.ended(PlainRuns::resume(run));
    }();
    INFO(ended.err);
    REQUIRE(ended.code == 0);
    CHECK(ended.err.find("passed over: ") != std::string::npos);
    CHECK(ended.err.find(newest.filename().string()) != std::string::npos);
    CHECK(came_to(runs / run) == came_to(runs / "whole"));
  }
}

}  // namespace esper
