#pragma once
// A small sealed journal, to be damaged.
#include "messages/json.hpp"
#include "runtime/journal.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/messages/every_message.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

inline std::vector<JournalEntry> some_entries() {
  std::vector<JournalEntry> entries;
  Filler filler{true};
  const auto add = [&](auto message) {
    filler.fill(message);
    JournalEntry entry;
    entry.sequence = entries.size() + 1;
    entry.window = {entry.sequence / 3};
    entry.role = Role::narset;
    entry.region = {static_cast<std::uint32_t>(entry.sequence % 2)};
    entry.kind = decltype(message)::schema.name;
    entry.payload = canonical(message);
    entry.measured = entry.sequence == 2 ? "{}" : "";
    entries.push_back(std::move(entry));
  };
  for (int i = 0; i < 2; ++i) {
    add(Absence{});
    add(Price{});
    add(GateVerdict{});
    add(TurnApplied{});
  }
  return entries;
}

struct SomeJournal {
  ScratchFolder folder;
  std::vector<JournalEntry> entries = some_entries();
  std::string head, bytes;

  SomeJournal() {
    const auto file = folder / "whole.db";
    auto made = Journal::create(file);
    must(made && made.value()->append(entries), "a journal is written");
    const auto seal = made.value()->seal();
    must(seal.has_value(), "a journal is sealed");
    head = seal.value().head_hash;
    bytes = file_text(file);
  }
};

/// Places in the file that say something: zeros fill the rest.
inline std::vector<std::size_t> telling_places(const std::string& bytes) {
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (bytes[at] != 0 || (at > 0 && bytes[at - 1] != 0) || at % 512 == 0) places.push_back(at);
  return places;
}

/// `changes`: three bytes each, where (two, the lower first) and what; two bytes that are left over
/// are where the file is cut.
inline std::string damaged(std::string bytes, const std::uint8_t* changes, std::size_t size) {
  static const auto places = telling_places(bytes);
  for (; size >= 3; changes += 3, size -= 3)
    bytes[places[(changes[0] + 256U * changes[1]) % places.size()]] = static_cast<char>(changes[2]);
  if (size == 2) bytes.resize((changes[0] + 256U * changes[1]) % bytes.size());
  return bytes;
}

}  // namespace esper
