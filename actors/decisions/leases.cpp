#include "actors/decisions/leases.hpp"

#include "actors/decisions/planted.hpp"

namespace esper {

bool refresh_lease(HeldLease& lease, const LeaseReply& reply) {
  if (reply.epoch != lease.epoch || reply.prime < lease.prime) return false;
  const bool newer = planted(Planted::lease_from_stale_reply) ? reply.cycle >= lease.cycle
                                                              : reply.cycle > lease.cycle;
  if (!newer) return false;
  lease.prime = reply.prime;
  lease.cycle = reply.cycle;
  lease.free = reply.granted;
  lease.until = reply.until;
  return true;
}

bool lease_admits(Epoch fence, Epoch epoch, Window until, Window window) {
  return epoch >= fence && window <= until;
}

}  // namespace esper
