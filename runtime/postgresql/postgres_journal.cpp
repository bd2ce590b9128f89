#include "runtime/postgresql/postgres_journal.hpp"

#include <algorithm>
#include <limits>

#include "runtime/digest.hpp"

namespace esper {
namespace {

constexpr std::string_view columns =
    R"(sequence, "window", role, region, ordinal, kind, cause, payload, measured, hash)";
constexpr int hash_column = 9;

JournalEntry entry_of(const PostgresRow& row) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint32_t>::max();
  JournalEntry entry;
  entry.sequence = row.integer(0);
  entry.window = {row.integer(1)};
  const auto role = enum_from<Role>(row.text(2));
  if (!role) throw PostgresError("entry " + row.text(0) + " names no role: " + row.text(2), false);
  entry.role = *role;
  if (row.integer(3) > largest || row.integer(4) > largest)
    throw PostgresError("entry " + row.text(0) + " has a number past what an entry holds", false);
  entry.region = {static_cast<std::uint32_t>(row.integer(3))};
  entry.ordinal = static_cast<std::uint32_t>(row.integer(4));
  entry.kind = row.text(5);
  entry.cause = row.integer(6);
  entry.payload = row.text(7);
  entry.measured = row.text(8);
  return entry;
}

std::string select(std::string_view rest) {
  return "SELECT " + std::string{columns} + " FROM esper_entries WHERE run = $1 " +
         std::string{rest};
}

/// What fits PostgreSQL's largest whole number.
std::string number(std::uint64_t value) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::to_string(std::min(value, largest));
}

/// One row's bytes, as the seal's digest takes them.
std::string row_bytes(const PostgresRow& row) {
  std::string bytes;
  for (int column = 0; column <= hash_column; ++column) {
    const auto text = row.text(column);
    bytes += std::to_string(text.size()) + ":" + text;
  }
  return bytes;
}

/// The entries' columns, each as one array.
class Arrays {
 public:
  void add(const JournalEntry& entry, const std::string& hash) {
    const std::string texts[]{std::to_string(entry.sequence),
                              number(entry.window.value),
                              std::string{name_of(entry.role)},
                              std::to_string(entry.region.value),
                              std::to_string(entry.ordinal),
                              entry.kind,
                              number(entry.cause),
                              entry.payload,
                              entry.measured,
                              hash};
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].push_back(texts[i]);
  }
  void append_to(std::vector<std::string>& values) const {
    for (const auto& column : columns_) values.push_back(array_of(column));
  }

 private:
  std::vector<std::vector<std::string>> columns_ = std::vector<std::vector<std::string>>(10);
};

}  // namespace

PostgresJournal::PostgresJournal(PostgresPlace place)
    : place_(std::move(place)),
      connection_(std::make_unique<PostgresConnection>(place_.database, place_.patience())) {}

JournalFault PostgresJournal::fault(JournalProblem problem, const std::string& why) const {
  return {problem, place() + ": " + why};
}

PostgresJournal::Made PostgresJournal::create(const PostgresPlace& place) {
  try {
    std::unique_ptr<PostgresJournal> journal{new PostgresJournal(place)};
    if (!begin_run(*journal->connection_, place.run))
      return journal->fault(JournalProblem::exists, "exists already");
    return led(std::move(journal), 1);
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, std::string{"PostgreSQL: "} + error.what()};
  }
}

PostgresJournal::Made PostgresJournal::led(std::unique_ptr<PostgresJournal> journal,
                                           std::uint64_t epoch) {
  journal->epoch_ = epoch;
  journal->keeper_ = std::make_unique<LeadKeeper>(journal->place_, epoch);
  journal->set_writable(true);
  return journal;
}

std::optional<JournalFault> PostgresJournal::begin_as_found() {
  const auto found = check();
  if (!found.problem.empty()) return JournalFault{JournalProblem::not_a_journal, found.problem};
  if (!found.holds())
    return fault(JournalProblem::not_a_journal,
                 "the chain breaks at entry " + std::to_string(found.first_broken));
  begin_at(found.entries, {found.head_hash, found.decision_hash});
  return std::nullopt;
}

PostgresJournal::Made PostgresJournal::resume(const PostgresPlace& place) {
  try {
    std::unique_ptr<PostgresJournal> journal{new PostgresJournal(place)};
    if (!lead_of(*journal->connection_, place.run)) return create(place);
    // Before the lead is taken: what is refused is left as it was found.
    if (const auto refused = journal->begin_as_found()) return *refused;
    const std::atomic<bool> never{false};
    const auto epoch = wait_and_lead(place, never, /*give_up=*/true);
    if (!epoch) return journal->fault(JournalProblem::led, "another process is writing it");
    // And again: the process before may have appended until then.
    if (const auto refused = journal->begin_as_found()) return *refused;
    return led(std::move(journal), *epoch);
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, std::string{"PostgreSQL: "} + error.what()};
  }
}

PostgresJournal::Made PostgresJournal::stand_by(const PostgresPlace& place,
                                                const std::atomic<bool>& stop) {
  try {
    std::unique_ptr<PostgresJournal> journal{new PostgresJournal(place)};
    if (!lead_of(*journal->connection_, place.run))
      return journal->fault(JournalProblem::missing, "is not there");
    const auto epoch = wait_and_lead(place, stop, /*give_up=*/false);
    if (!epoch) return std::unique_ptr<PostgresJournal>{};
    if (const auto refused = journal->begin_as_found()) return *refused;
    return led(std::move(journal), *epoch);
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, std::string{"PostgreSQL: "} + error.what()};
  }
}

PostgresJournal::Made PostgresJournal::open(const PostgresPlace& place) {
  try {
    std::unique_ptr<PostgresJournal> journal{new PostgresJournal(place)};
    const auto lead = lead_of(*journal->connection_, place.run);
    if (!lead) return journal->fault(JournalProblem::missing, "is not there");
    // As with a file, a broken chain is opened and read: check() says where it breaks.
    const auto found = journal->check();
    journal->begin_at(std::max(lead->entries, found.entries),
                      {found.head_hash, found.decision_hash});
    return journal;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, std::string{"PostgreSQL: "} + error.what()};
  }
}

PostgresConnection& PostgresJournal::connection() const {
  if (!connection_->stands())
    connection_ = std::make_unique<PostgresConnection>(place_.database, place_.patience());
  return *connection_;
}

template <typename Ask>
auto PostgresJournal::again(const Ask& ask) const {
  try {
    return ask(connection());
  } catch (const PostgresError& error) {
    if (!error.lost) throw;
    return ask(connection());
  }
}

std::vector<JournalEntry> PostgresJournal::selected(const std::string& rest,
                                                    std::vector<std::string> values) const {
  values.insert(values.begin(), {place_.run, std::to_string(next_sequence())});
  const auto statement = select("AND sequence < $2 AND " + rest + " ORDER BY sequence");
  return again([&](PostgresConnection& asked) {
    std::vector<JournalEntry> entries;
    asked.run(statement.c_str(), values,
              [&](const PostgresRow& row) { entries.push_back(entry_of(row)); });
    return entries;
  });
}

std::vector<JournalEntry> PostgresJournal::read(Window from, Window to) const {
  return selected(R"("window" BETWEEN $3 AND $4)", {number(from.value), number(to.value)});
}

std::vector<JournalEntry> PostgresJournal::read_chosen(Window from, Window to,
                                                       const EntryChoice& choice) const {
  const auto texts = [](const std::vector<std::string_view>& kinds) {
    return array_of({kinds.begin(), kinds.end()});
  };
  return selected(
      R"("window" BETWEEN $3 AND $4 AND
         (kind = ANY($5::text[]) OR region = $6 AND kind = ANY($7::text[])))",
      {number(from.value), number(to.value), texts(choice.kinds),
       std::to_string(choice.region.value), texts(choice.region_kinds)});
}

Window PostgresJournal::last_window() const {
  return again([&](PostgresConnection& asked) {
    Window last;
    asked.run(R"(SELECT COALESCE(MAX("window"), 0) FROM esper_entries
                 WHERE run = $1 AND sequence < $2)",
              {place_.run, std::to_string(next_sequence())},
              [&](const PostgresRow& row) { last = Window{row.integer(0)}; });
    return last;
  });
}

std::string PostgresJournal::head_at(std::uint64_t sequence) const {
  if (sequence >= next_sequence()) return {};
  return again([&](PostgresConnection& asked) {
    std::string head;
    asked.run("SELECT hash FROM esper_entries WHERE run = $1 AND sequence = $2",
              {place_.run, number(sequence)}, [&](const PostgresRow& row) { head = row.text(0); });
    return head;
  });
}

std::string PostgresJournal::digest() const {
  try {
    return again([&](PostgresConnection& asked) {
      std::string digest(64, '0');
      asked.run(select("ORDER BY sequence").c_str(), {place_.run},
                [&](const PostgresRow& row) { digest = sha256(digest + row_bytes(row)); });
      return digest;
    });
  } catch (const DatabaseError&) {
    return {};
  }
}

JournalCheck PostgresJournal::check() const {
  try {
    return again([&](PostgresConnection& asked) {
      JournalCheck result;
      JournalHashes hashes;
      // Row and entries as of one moment, also while a leader writes on.
      asked.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const auto lead = lead_of(asked, place_.run);
      asked.run(select("ORDER BY sequence").c_str(), {place_.run}, [&](const PostgresRow& row) {
        ++result.entries;
        if (result.first_broken != 0) return;
        try {
          const auto entry = entry_of(row);
          const auto next = followed_by(hashes, entry);
          if (entry.sequence == result.entries && next.head == row.text(hash_column)) {
            hashes = next;
            return;
          }
        } catch (const PostgresError&) {  // no entry at all
        }
        result.first_broken = result.entries;
      });
      asked.run("COMMIT");
      result.head_hash = hashes.head;
      result.decision_hash = hashes.decision;
      if (!lead)
        result.problem = place() + " is not there";
      else if (result.first_broken == 0 &&
               (lead->entries != result.entries || lead->head != hashes.head))
        result.problem = place() + ": its row names another end after " +
                         std::to_string(lead->entries) + " entries; here are " +
                         std::to_string(result.entries);
      return result;
    });
  } catch (const DatabaseError& error) {
    JournalCheck broken;
    broken.problem = place() + ": " + error.what();
    return broken;
  }
}

PostgresLead PostgresJournal::lead() const {
  const auto lead = lead_of(connection(), place_.run);
  if (!lead) throw PostgresError("the run is not there any more", false);
  return *lead;
}

void PostgresJournal::refuse(const PostgresLead& lead) {
  if (lead.epoch != epoch_) {
    if (keeper_) keeper_->set_lost();
    set_writable(false);
    throw PostgresError("deposed: the journal is led by epoch " + std::to_string(lead.epoch) +
                            ", and this process was epoch " + std::to_string(epoch_),
                        false);
  }
  unsure_ = true;  // an append that nobody waits for any more may have come through after all
  throw PostgresError("the run's row names another end than this leader knows", false);
}

JournalHashes PostgresJournal::commit(const std::vector<JournalEntry>& entries) {
  auto after = hashes();
  std::vector<std::string> heads;
  for (const auto& entry : entries) {
    if (fails(entry.sequence)) throw DatabaseError("disk I/O error (injected)");
    after = followed_by(after, entry);
    heads.push_back(after.head);
  }
  for (const bool last : {false, true}) {
    try {
      if (unsure_ && stands(entries.back().sequence, after.head)) return after;
      insert(entries, heads);
      return after;
    } catch (const PostgresError& error) {
      if (!error.lost) throw;
      unsure_ = true;
      if (last) throw;
    }
  }
  return after;
}

void PostgresJournal::insert(const std::vector<JournalEntry>& entries,
                             const std::vector<std::string>& hashes) {
  Arrays arrays;
  for (std::size_t i = 0; i < entries.size(); ++i) arrays.add(entries[i], hashes[i]);
  std::vector<std::string> values{place_.run,
                                  std::to_string(epoch_),
                                  std::to_string(next_sequence() - 1),
                                  this->hashes().head,
                                  std::to_string(entries.back().sequence),
                                  hashes.back()};
  arrays.append_to(values);
  const auto written = connection().run(
      R"(WITH led AS (
           UPDATE esper_runs SET renewals = renewals + 1, entries = $5, head = $6
           WHERE run = $1 AND epoch = $2 AND entries = $3 AND head = $4 RETURNING run)
         INSERT INTO esper_entries
         SELECT led.run, added.* FROM led,
           unnest($7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[],
                  $12::text[], $13::bigint[], $14::text[], $15::text[], $16::text[]) AS added)",
      values);
  if (written != entries.size()) refuse(lead());
}

bool PostgresJournal::stands(std::uint64_t entries, const std::string& head) {
  const auto found = lead();
  if (found.epoch != epoch_) refuse(found);
  const bool same = found.entries == entries && found.head == head;
  if (!same && found.entries >= next_sequence()) take_back(found);
  unsure_ = false;
  return same;
}

void PostgresJournal::take_back(const PostgresLead& lead) {
  connection().run(
      R"(WITH led AS (
           UPDATE esper_runs SET entries = $5, head = $6
           WHERE run = $1 AND epoch = $2 AND entries = $3 AND head = $4 RETURNING run)
         DELETE FROM esper_entries USING led WHERE esper_entries.run = led.run AND sequence > $5)",
      {place_.run, std::to_string(epoch_), std::to_string(lead.entries), lead.head,
       std::to_string(next_sequence() - 1), hashes().head});
}

Result<JournalSeal, JournalFault> PostgresJournal::seal() {
  if (seal_) return *seal_;
  try {
    if (epoch_ != 0)
      if (const auto found = lead(); found.epoch != epoch_) refuse(found);
    if (writable()) {
      // A turn that nobody was told of is not part of what is sealed.
      if (unsure_) (void)stands(next_sequence() - 1, hashes().head);
      keeper_.reset();  // leaves the lead
      set_writable(false);
    }
    const auto found = check();
    if (!found.ends_at(hashes().head))
      return fault(JournalProblem::disk, found.problem.empty()
                                             ? "it ends otherwise than this process wrote"
                                             : found.problem);
    seal_ = JournalSeal{digest(), hashes().head, next_sequence() - 1};
    return *seal_;
  } catch (const DatabaseError& error) {
    return fault(JournalProblem::disk, error.what());
  }
}

}  // namespace esper
