#include "runtime/chaos/chaos_seams.hpp"

#include <stdexcept>

namespace esper {

bool ChaosJournal::append(const std::vector<JournalEntry>& entries) {
  if (desk_.spend(FaultKind::disk_crash_before))
    throw std::runtime_error("the journal's writer died: an injected disk_crash_before");
  if (desk_.meet(FaultKind::disk_full)) return false;
  if (const auto slow = desk_.spend(FaultKind::disk_slow))
    desk_.wait(std::chrono::milliseconds{slow->fault.duration_ms});
  const bool written = inner_.append(entries);
  if (written && desk_.spend(FaultKind::disk_crash_after))
    throw std::runtime_error("the journal's writer died: an injected disk_crash_after");
  return written;
}

bool ChaosExecutor::release(const TurnRelease& turn) {
  if (desk_.meet(FaultKind::kasmina_silent)) return false;
  const bool taken = inner_.release(turn);
  if (taken && desk_.spend(FaultKind::turn_twice)) return inner_.release(turn);
  return taken;
}

}  // namespace esper
