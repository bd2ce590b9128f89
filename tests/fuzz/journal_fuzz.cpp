// A damaged journal: the input is a whole file, or a payload (it begins with a brace), or changes
// to a good file: three bytes each, where (two, the lower first) and what; two bytes that are left
// over are where it is cut. Held: reading ends with a sentence or with entries; a journal that
// holds to the head it was sealed with has the very entries, however they are asked for, and also
// takes the next one.
#include <cstring>

#include "runtime/journal.hpp"
#include "tests/fuzz/some_journal.hpp"

namespace esper {
namespace {

auto content(const JournalEntry& entry) {
  return std::tie(entry.sequence, entry.window, entry.role, entry.region, entry.ordinal, entry.kind,
                  entry.cause, entry.payload, entry.measured);
}

bool same(const std::vector<JournalEntry>& a, const std::vector<JournalEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& one, const auto& two) { return content(one) == content(two); });
}

std::vector<JournalEntry> read_all(const Journal& journal) {
  try {
    return journal.read_all();
  } catch (const DatabaseError&) {
    return {};
  }
}

void read_by_window(const Journal& journal, const std::vector<JournalEntry>& whole) {
  std::vector<JournalEntry> read;
  for (std::uint64_t window = 0; window <= whole.back().window.value; ++window)
    for (auto& entry : journal.read({window}, {window})) read.push_back(std::move(entry));
  must(same(read, whole), "entries read by window are the sealed ones");
  must(journal.last_window() == whole.back().window, "the last window is the sealed one");
}

void go_on(const std::filesystem::path& file, std::vector<JournalEntry> entries) {
  auto resumed = Journal::resume(file);
  if (!resumed) return;  // a header that says it cannot be written on
  entries.push_back(entries.back());
  ++entries.back().sequence;
  if (!resumed.value()->append({entries.back()})) return;
  must(same(read_all(*resumed.value()), entries), "a journal gone on with keeps what it had");
}

void read(const std::filesystem::path& file, const SomeJournal& whole) {
  const auto check = Journal::verify(file);
  const auto opened = Journal::open(file);
  must(opened.has_value() || !check.holds(), "what holds can be opened");
  if (!opened) return;
  const auto entries = read_all(*opened.value());
  if (!check.ends_at(whole.head)) return;
  must(same(entries, whole.entries), "entries under the sealed head are the sealed ones");
  read_by_window(*opened.value(), whole.entries);
  go_on(file, whole.entries);
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const esper::SomeJournal whole;
  constexpr std::string_view magic = "SQLite format 3";
  const bool is_file = size > magic.size() && std::memcmp(bytes, magic.data(), magic.size()) == 0;
  const auto file = whole.folder / "damaged.db";
  for (const char* beside : {"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(file.string() + beside);
  esper::write_text(file, is_file ? std::string{reinterpret_cast<const char*>(bytes), size}
                                  : esper::damaged(whole.bytes, bytes, size));
  esper::read(file, whole);
  return 0;
}
