#pragma once
// What Oona reads off the lanes. A lane counts its own dead letters until they are read, so none is
// lost while Oona is down, and no mailbox fills with them.
#include <vector>

#include "actors/context.hpp"

namespace esper {

/// The lane's counts to the metrics; its dead letters since the last report counted and logged.
/// True: commands were refused since then, because the receiver left the backlog full.
bool report_lane(const ControlContext& context, LaneQueue& lane);
/// Messages and requests to peers that were down are dead letters, too: of "journal.direct" and so
/// on.
void report_peers(const ControlContext& context);

class LaneBooks {
 public:
  explicit LaneBooks(ControlContext& context);

  /// Reports every lane and peer. A receiver so slow that commands were refused opens the lane's
  /// breaker.
  void sample(std::uint64_t now_ms);

 private:
  friend struct StateFields;  // tests' list of all fields

  struct Book {
    LaneQueue* lane;
    Breaker receiver;
  };

  ControlContext& context_;
  std::vector<Book> books_;
};

}  // namespace esper
