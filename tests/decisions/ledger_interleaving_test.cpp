// The book under regions that speak in any order, die, come back with a higher epoch and say again
// what they had said before.
#include "actors/decisions/ledger.hpp"

#include "messages/json.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace esper {
namespace {

constexpr std::uint32_t regions = 3;

/// One entry of a book, and what a Narset's incarnation would name itself in it.
struct Entry {
  int kind{};
  RegionId region;
  CommandId command;
  std::uint64_t reservation{};
  Energy energy;
  Window window;
};

Ledger::Answer apply(Ledger& ledger, const Entry& entry) {
  switch (entry.kind) {
    case 0:
      return ledger.reserve(entry.region, entry.reservation, entry.command, entry.energy,
                            entry.window);
    case 1:
      return ledger.settle(entry.region, entry.reservation, entry.energy, entry.window);
    case 2:
      return ledger.release(entry.region, entry.reservation);
    case 3:
      return ledger.top_up(entry.region, entry.reservation, entry.command, entry.energy,
                           entry.window);
    case 4:
      return ledger.grant(entry.region, entry.energy, entry.window + 6);
    case 5: {
      Mint mint;
      mint.cycle = {entry.window.value / 3 + 1};
      mint.treasury = {200};
      mint.safety = mint.emergency = {20};
      ledger.close_cycle({60}, {60});
      return ledger.mint(mint);
    }
    case 7:
      return ledger.grant_scaffold(entry.region, entry.energy, entry.window + 3, entry.window);
    case 8:
      return ledger.draw(entry.region, entry.command, entry.energy, entry.window);
    case 9:
      return ledger.give_back(entry.region);
    default:
      (void)ledger.reclaim(entry.window, 9);
      ledger.lapse_leases(entry.window);
      (void)ledger.expire(entry.window, 9);
      return Done{};
  }
}

std::string told(const Ledger& ledger) {
  std::string text = canonical(ledger.balance());
  for (std::uint32_t region = 0; region < regions; ++region) {
    text += '\n' + std::to_string(ledger.lease({region}).free.thousandths);
    if (const auto escrow = ledger.escrow({region}))
      text += " escrow " + std::to_string(escrow->free.thousandths);
    for (std::uint64_t id = 0; id < 40; ++id)
      if (const auto energy = ledger.reserved({region}, id))
        text += ' ' + std::to_string(id) + ':' + std::to_string(energy->thousandths);
  }
  return text;
}

/// What each region's present incarnation counts; a restart raises the epoch and begins again.
struct Speakers {
  std::array<std::uint32_t, regions> epoch{1, 1, 1};
  std::array<std::uint64_t, regions> sequence{};
  std::array<std::uint64_t, regions> reservation{};  ///< survives: rebuilt from the journal

  Entry some(Window& now) {
    Entry entry;
    entry.kind = *rc::gen::weightedElement<int>(
        {{6, 0}, {4, 1}, {2, 2}, {2, 3}, {3, 4}, {2, 5}, {1, 6}, {2, 7}, {3, 8}, {1, 9}});
    entry.region = {*rc::gen::inRange(0U, regions)};
    now = now + *rc::gen::inRange<std::uint64_t>(0, 2);
    entry.window = now;
    entry.energy = {*rc::gen::inRange(0, 60)};
    const std::uint32_t who = entry.region.value;
    if (*rc::gen::inRange(0, 12) == 0) {
      ++epoch.at(who);
      sequence.at(who) = 0;
    }
    entry.command = {entry.region, {epoch.at(who)}, ++sequence.at(who)};
    entry.reservation = entry.kind == 0
                            ? ++reservation.at(who)
                            : *rc::gen::inRange<std::uint64_t>(0, reservation.at(who) + 2);
    return entry;
  }
};

SCENARIO("LEDGER-1 and LEDGER-2 hold whatever order regions, epochs and restarts come in",
         "[ledger][LEDGER-1][LEDGER-2]") {
  CHECK(rc::check("every entry told once or twice, in the order of some interleaving", [] {
    Ledger ledger{regions};
    Speakers speakers;
    Window now{1};
    std::vector<Entry> history;
    std::map<std::pair<RegionId, std::uint64_t>, Energy> open;
    std::set<CommandId> charged, drawn;
    Energy spent;
    const int entries = *rc::gen::inRange(1, 120);
    for (int i = 0; i < entries; ++i) {
      // A restarted region, or a journal read twice, says something again.
      const bool again = !history.empty() && *rc::gen::inRange(0, 5) == 0;
      Entry entry =
          again ? history[*rc::gen::inRange<std::size_t>(0, history.size())] : speakers.some(now);
      entry.window = now;
      history.push_back(entry);
      const std::string before = told(ledger);
      const LedgerBalance old = ledger.balance();
      const auto answer = apply(ledger, entry);
      RC_ASSERT(ledger.conserves_energy());
      RC_ASSERT(ledger.balance().spent >= spent);
      if (!answer && entry.kind != 5) RC_ASSERT(told(ledger) == before);
      const std::pair key{entry.region, entry.reservation};
      if (answer && (entry.kind == 0 || (entry.kind == 3 && entry.energy > Energy{})))
        RC_ASSERT(charged.insert(entry.command).second);
      if (answer && entry.kind == 0) RC_ASSERT(open.emplace(key, entry.energy).second);
      if (answer && entry.kind == 3) open.at(key) += entry.energy;
      if (answer && (entry.kind == 1 || entry.kind == 2)) {
        RC_ASSERT(open.contains(key));  // resolved once: it is erased below
        const Energy paid = entry.kind == 1 ? entry.energy : Energy{};
        RC_ASSERT(paid <= open.at(key));
        spent += paid;
        open.erase(key);
      }
      if (answer && entry.kind == 8) {
        RC_ASSERT(drawn.insert(entry.command).second);
        spent += entry.energy;
      }
      if (entry.kind >= 4 && entry.kind != 8) {
        std::erase_if(open, [&](const auto& one) {
          return !ledger.reserved(one.first.first, one.first.second);
        });
        RC_ASSERT(ledger.balance().spent == old.spent);
      }
      Energy reserved;
      for (const auto& [where, energy] : open) {
        RC_ASSERT(ledger.reserved(where.first, where.second) == energy);
        reserved += energy;
      }
      RC_ASSERT(ledger.balance().reserved == reserved);
      RC_ASSERT(ledger.balance().spent == spent);
    }
    Ledger replayed{regions};
    for (const Entry& entry : history) {
      (void)apply(replayed, entry);
      RC_ASSERT(replayed.conserves_energy());
    }
    RC_ASSERT(told(replayed) == told(ledger));
  }));
}

}  // namespace
}  // namespace esper
