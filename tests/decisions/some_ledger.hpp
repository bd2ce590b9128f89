#pragma once
// Ledgers' tests: mints, commands, and all that can be seen of a ledger.
#include <string>

#include "actors/decisions/ledger.hpp"
#include "messages/json.hpp"

namespace esper {

constexpr RegionId region{0}, other{1};

inline Mint mint_of_parts(std::int64_t treasury, std::int64_t emergency, std::int64_t safety,
                          std::int64_t compaction = 0, Cycle cycle = {1}) {
  Mint mint;
  mint.cycle = cycle;
  mint.treasury = {treasury};
  mint.emergency = {emergency};
  mint.safety = {safety};
  mint.compaction = {compaction};
  return mint;
}

inline CommandId command(std::uint64_t sequence, std::uint32_t epoch = 1,
                         RegionId sender = region) {
  return {sender, {epoch}, sequence};
}

/// Everything that can be seen of a ledger, to tell whether a call changed it.
inline std::string seen(const Ledger& ledger) {
  std::string text = to_json(ledger.balance(), Floats::plain).dump();
  for (const Energy account :
       {ledger.treasury(), ledger.emergency(), ledger.safety(), ledger.compaction()})
    text += ' ' + std::to_string(account.thousandths);
  text += " plans " + std::to_string(ledger.compaction_committed().thousandths);
  for (std::uint32_t i = 0; i < 4; ++i) {
    text += ' ' + std::to_string(ledger.lease({i}).free.thousandths) + '@' +
            std::to_string(ledger.lease({i}).until.value);
    if (const auto escrow = ledger.escrow({i}))
      text += " escrow " + std::to_string(escrow->free.thousandths) + '@' +
              std::to_string(escrow->until.value) + ',' + std::to_string(escrow->touched.value);
    for (std::uint64_t id = 0; id < 64; ++id)
      if (const auto energy = ledger.reserved({i}, id))
        text += ' ' + std::to_string(id) + ':' + std::to_string(energy->thousandths);
  }
  return text;
}

}  // namespace esper
