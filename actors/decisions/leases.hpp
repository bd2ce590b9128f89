#pragma once
// A region's authority to spend, where its Narset is on another node than the bank: replies come
// late, twice and from a bank that is deposed, and a lease counts once.
#include "messages/units.hpp"

namespace esper {

/// As the Narset holds it.
struct HeldLease {
  Epoch epoch;   ///< of the Narset
  Epoch prime;   ///< of the bank that granted it
  Cycle cycle;   ///< 0: none yet
  Energy free;   ///< not yet set aside for a command
  Window until;  ///< the last window at whose end its commands are carried out
};

/// What the bank told.
struct LeaseReply {
  Epoch epoch, prime;
  Cycle cycle;
  Energy granted;
  Window until;
};

/// Takes the reply when it is of this incarnation, of no older bank, and of a later cycle than the
/// lease: what is left of that one lapses. False: it changes nothing.
bool refresh_lease(HeldLease& lease, const LeaseReply& reply);

/// Is a command carried out at the end of that window? `fence`: the lowest epoch that may.
[[nodiscard]] bool lease_admits(Epoch fence, Epoch epoch, Window until, Window window);

}  // namespace esper
