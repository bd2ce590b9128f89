#pragma once
// A window that nobody read is told with the next one.
#include "messages/telemetry.hpp"

namespace esper {

/// `newest` takes over from an unread `older`: its telemetry goes and its steps count as missing;
/// outcomes, applied turns, operations and alarms are kept, older first.
void take_over(WindowReport& newest, WindowReport& older);

}  // namespace esper
