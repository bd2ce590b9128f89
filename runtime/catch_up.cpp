#include "runtime/catch_up.hpp"

#include <algorithm>
#include <map>

#include "actors/decisions/take_over.hpp"

namespace esper {
namespace {

constexpr std::chrono::milliseconds look{20};

/// Where each turn took effect, as far as a later window has told.
std::map<Window, Window> boundaries_in(const std::vector<ClosedTurn>& turns) {
  std::map<Window, Window> boundaries;
  for (const ClosedTurn& turn : turns)
    for (const TurnApplied& applied : turn.report.applied)
      boundaries[applied.turn] = applied.boundary;
  return boundaries;
}

}  // namespace

CatchUp::CatchUp(Executor& executor, const RunConfig& config, const HostDescription& host,
                 const Catalogue& catalogue, Window from, const std::vector<JournalEntry>& entries,
                 const std::function<std::string(std::uint64_t sequence)>& head_at)
    : executor_(executor),
      from_(from),
      entries_(entries),
      replay_(config, host, catalogue),
      turns_(turns_in(entries)),
      releases_(release_records(entries, head_at)) {
  const auto boundaries = boundaries_in(turns_);
  for (TurnRelease& release : releases_)
    if (const auto known = boundaries.find(release.turn); known != boundaries.end())
      release.boundary = known->second;
  if (turns_.empty()) {
    complete_ = true;
    return;
  }
  // The newest turn's own boundary is still to come.
  executor_.catch_up(turns_.back().report.window + 1);
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
}

CatchUp::~CatchUp() { stop(); }

void CatchUp::stop() { thread_.request_stop(); }

bool CatchUp::wait() {
  if (thread_.joinable()) thread_.join();
  return complete_;
}

bool CatchUp::release_waiting() {
  while (next_release_ < releases_.size() && executor_.release(releases_[next_release_]))
    ++next_release_;
  return next_release_ == releases_.size();
}

void CatchUp::compare(const WindowReport& told) {
  const ClosedTurn& recorded = turns_[next_turn_];
  ClosedTurn now = recorded;
  now.report = told;
  now.report.overrides = recorded.report.overrides;
  now.report.faults = recorded.report.faults;
  now = replay_.again(now);
  auto commands = commands_;
  const auto first = std::find_if(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
    return entry.window == recorded.report.window;
  });
  const auto decided = entries_of(now, first->sequence, commands);
  commands_ = std::move(commands);
  ++windows_;
  if (difference_) return;
  auto entry = first;
  for (const JournalEntry& again : decided) {
    const bool there = entry != entries_.end() && entry->window == again.window;
    if (!there || entry->kind != again.kind || entry->payload != again.payload) {
      difference_ = {again.window, there ? entry->kind : again.kind, there ? entry->sequence : 0};
      return;
    }
    ++entry;
  }
  if (entry != entries_.end() && entry->window == recorded.report.window)
    difference_ = {entry->window, entry->kind, entry->sequence};
}

/// While the disk refused turns, windows went unread and the next one took over from them. Here
/// each is read.
void CatchUp::take(WindowReport told) {
  if (unread_) take_over(told, *unread_);
  unread_.reset();
  if (turns_[next_turn_].report.window == told.window) {
    compare(told);
    ++next_turn_;
  } else {
    unread_ = std::move(told);
  }
}

void CatchUp::pass_over(Window until) {
  for (; next_turn_ < turns_.size() && turns_[next_turn_].report.window < until; ++next_turn_)
    (void)entries_of(replay_.again(turns_[next_turn_]), 1, commands_);
}

void CatchUp::run(const std::stop_token& stop) {
  // What lies before the checkpoint is past: the minds learn it, nobody tells it again.
  pass_over(from_);
  while (!stop.stop_requested()) {
    const bool released = release_waiting();
    if (next_turn_ == turns_.size()) {
      complete_ = released;
      if (released) return;
      std::this_thread::sleep_for(look);
      continue;
    }
    WindowReport told;
    if (!executor_.next_window(told, look)) continue;
    pass_over(told.window);
    if (next_turn_ == turns_.size()) continue;  // of a turn that the journal does not have
    const Window window = told.window;
    take(std::move(told));
    executor_.finish_window(window);
  }
}

}  // namespace esper
