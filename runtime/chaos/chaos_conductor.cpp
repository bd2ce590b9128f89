#include "runtime/chaos/chaos_conductor.hpp"

#include <algorithm>

#include "actors/decisions/overrides.hpp"
#include "actors/fault_override.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_every{2};
constexpr std::uint64_t try_every_ms = 50;
/// After the last fault's end: for those that wait for messages, a seed or a role.
constexpr std::uint64_t slack_ms = 10'000;
constexpr std::uint64_t window_ms_guessed = 1'000;  ///< until one was seen

ChaosRefusal refused(std::string sentence) { return {false, std::move(sentence)}; }

std::string lines(const std::vector<SkippedFault>& skipped) {
  std::string text;
  for (const auto& one : skipped) text += "\n  " + told(one.fault) + ": " + one.reason;
  return text;
}

/// The account as it begins, or why it can't.
Result<ChaosAccount, ChaosRefusal> planned(const ChaosOrder& order, const LiveShape& shape) {
  ChaosAccount account;
  account.rehearsal = order.rehearsal;
  account.who = order.who;
  account.blast = order.blast;
  std::vector<Fault> faults;
  if (order.faults.size() > ChaosConductor::faults_max)
    return refused("a rehearsal of a living run has at most " +
                   std::to_string(ChaosConductor::faults_max) + " faults");
  for (const auto& fault : order.faults) {
    const auto why = impossible_live(fault, shape);
    if (why.empty())
      faults.push_back(fault);
    else
      account.skipped.push_back({fault, why});
  }
  if (!account.skipped.empty() && !order.skip_impossible)
    return refused("some faults cannot befall this run (--skip-impossible leaves them out):" +
                   lines(account.skipped));
  if (faults.empty())
    return refused("no fault is left that can befall this run" + lines(account.skipped));
  account.duration_ms = order.duration_ms > 0 ? order.duration_ms : end_ms(faults) + slack_ms;
  for (const auto& fault : faults)
    if (fault.at_ms >= account.duration_ms)
      return refused(told(fault) + ": all heals after " + std::to_string(account.duration_ms) +
                     " ms; give a longer duration");
  if (const auto blast = blast_of(faults, shape); blast.widest > order.blast)
    return refused(told(faults[blast.place]) + ": then " + std::to_string(blast.widest) +
                   " roles and faults are struck at once, and the blast limit is " +
                   std::to_string(order.blast) + "; --blast " + std::to_string(blast.widest) +
                   " allows it");
  if (const auto held = threads_held(faults); held >= shape.threads)
    return refused(std::to_string(held) + " roles are paused at once, each on one of the " +
                   std::to_string(shape.threads) +
                   " threads that all share (control.threads): every role would hang");
  for (auto& fault : faults) account.faults.push_back({0, std::move(fault), {}, 0, ""});
  return account;
}

}  // namespace

ChaosConductor::~ChaosConductor() { detach(); }

Result<ChaosAccount, ChaosRefusal> ChaosConductor::begin(const ChaosOrder& order) {
  const std::lock_guard conducting(conducting_);
  if (!reach_)
    return ChaosRefusal{true, "the run's actors are not there: it has not begun, or is over"};
  if (const auto now = account(); now && now->ended.empty())
    return ChaosRefusal{true,
                        "the rehearsal " + now->rehearsal + " by " + now->who + " is under way"};
  auto plan = planned(order, reach_->shape);
  if (!plan) return plan.refusal();
  {
    const std::lock_guard lock(mutex_);
    account_ = std::move(plan.value());
    account_.id = ++chaoses_;
    for (auto& standing : account_.faults) standing.number = ++numbers_;
    handled_at_.assign(account_.faults.size(), 0);
    until_ms_.assign(account_.faults.size(), 0);
    began_ = std::chrono::steady_clock::now();
    opened_ = overrides_.opened();
    heal_asked_.clear();
    poisoning_.reset();
  }
  log(LogLevel::warning, "chaos_begins", to_json(account_, Floats::plain).dump());
  thread_ = std::jthread([this](const std::stop_token& stop) { conduct(stop); });
  return *account();
}

std::optional<ChaosAccount> ChaosConductor::account() const {
  const std::lock_guard lock(mutex_);
  if (chaoses_ == 0) return std::nullopt;
  auto now = account_;
  if (now.ended.empty()) now.elapsed_ms = elapsed_ms();
  return now;
}

void ChaosConductor::heal(const std::string& why) {
  const std::lock_guard lock(mutex_);
  heal_asked_ = why;
}

JournalStore& ChaosConductor::seam(JournalStore& journal) {
  journal_ = std::make_unique<ChaosJournal>(journal, desk_);
  return *journal_;
}

Executor& ChaosConductor::seam(Executor& executor) {
  executor_ = std::make_unique<ChaosExecutor>(executor, desk_);
  return *executor_;
}

void ChaosConductor::attach(ChaosReach reach) {
  const std::lock_guard conducting(conducting_);
  reach_ = std::move(reach);
}

void ChaosConductor::detach() {
  const std::lock_guard conducting(conducting_);
  if (!reach_) return;
  if (const auto now = account(); now && now->ended.empty())
    end("the part of the run that adapts is over");
  reach_.reset();
}

void ChaosConductor::conduct(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      // Whoever holds it may be waiting for this thread's end.
      const std::unique_lock conducting(conducting_, std::try_to_lock);
      if (conducting && look()) return;
    }
    std::this_thread::sleep_for(look_every);
  }
}

bool ChaosConductor::look() {
  const auto now = elapsed_ms();
  std::string asked;
  {
    const std::lock_guard lock(mutex_);
    if (!account_.ended.empty()) return true;
    asked = heal_asked_;
  }
  if (!asked.empty()) {
    end(asked);
    return true;
  }
  bool all_over = true;
  for (std::size_t place = 0; place < account_.faults.size(); ++place) {
    go_on(place, now);
    const auto state = account_.faults[place].state;
    all_over = all_over && (state == FaultState::over || state == FaultState::missed);
  }
  if (!all_over && now < account_.duration_ms) return false;
  end(all_over ? "every fault is over" : "its duration is over");
  return true;
}

void ChaosConductor::go_on(std::size_t place, std::uint64_t now_ms) {
  const FaultStanding standing = account_.faults[place];
  if (standing.state == FaultState::waiting && now_ms >= standing.fault.at_ms) {
    auto& from = handled_at_[place];
    if (from == 0) from = desk_.handled() + 1;
    const bool due = desk_.handled() + 1 >= from + standing.fault.after_events;
    if (!due || now_ms < until_ms_[place]) return;
    until_ms_[place] = now_ms + try_every_ms;  // should it find nobody
    return strike(place);
  }
  if (standing.state != FaultState::standing) return;
  const bool struck = desk_.has_struck(standing.number);
  if (struck && standing.struck_ms == 0) set(place, FaultState::standing);
  if (now_ms < until_ms_[place] && desk_.holds(standing.number)) return;
  desk_.lift(standing.number);
  set(place, struck ? FaultState::over : FaultState::missed,
      struck ? "" : "nothing came by that it could befall");
}

void ChaosConductor::strike(std::size_t place) {
  const FaultStanding standing = account_.faults[place];
  const auto& fault = standing.fault;
  std::string note;
  bool done = false;
  switch (fault.kind) {
    case FaultKind::kill:
      done = kill(fault, note);
      break;
    case FaultKind::kill_all:
      done = kill_all();
      break;
    case FaultKind::escape:
    case FaultKind::freeze:
    case FaultKind::grant:
    case FaultKind::posture:
      done = give_override(fault);
      note = "too many overrides wait for a turn";
      break;
    case FaultKind::poison_weights:
      note = "no seed stands there";
      if (poisoning_ == place) {
        done = reach_->executor->poisoned() > poisoned_;
        if (done) poisoning_.reset();
      } else if (!poisoning_) {
        poisoning_ = place;
        poisoned_ = reach_->executor->poisoned();
        reach_->executor->poison(region_of(fault));
      }
      break;
    default: {  // a seam asks for it
      const auto now_ms = elapsed_ms();
      // What ends by striking once has until all heals.
      const bool lasts = has_duration(fault.kind) && fault.kind != FaultKind::disk_slow;
      until_ms_[place] = lasts ? now_ms + fault.duration_ms : account_.duration_ms;
      desk_.hold(injected(place), began_ + milliseconds{until_ms_[place]});
      return set(place, FaultState::standing);
    }
  }
  if (!done) return set(place, FaultState::waiting, note);
  desk_.note(injected(place));
  set(place, FaultState::over);
}

bool ChaosConductor::kill(const Fault& fault, std::string& note) {
  const auto role = role_named(fault.target);
  if (!role) return false;
  desk_.lift_pauses(role->first, role->second);
  const auto answer = reach_->kill(role->first, role->second, account_.blast - 1);
  note = answer.held_back ? std::to_string(answer.others_down) +
                                " other roles are down: the blast limit holds it back"
                          : "the role is down itself";
  return answer.hit;
}

bool ChaosConductor::kill_all() {
  bool hit = false;
  for (const auto& name : reach_->shape.roles) {
    const auto role = role_named(name);
    if (!role) continue;
    desk_.lift_pauses(role->first, role->second);
    hit = reach_->kill(role->first, role->second, account_.blast).hit || hit;
  }
  return hit;
}

/// In windows: as many as came by in so long, so far.
std::uint64_t ChaosConductor::windows_in(std::uint64_t duration_ms) const {
  const auto windows = overrides_.opened().value - opened_.value;
  const auto window_ms =
      windows == 0 ? window_ms_guessed : std::max<std::uint64_t>(elapsed_ms() / windows, 1);
  return duration_ms / window_ms;
}

bool ChaosConductor::give_override(const Fault& fault) {
  Override given = override_of(fault);
  const Window next = overrides_.opened() + 1;
  given.from = next;
  given.until = next + windows_in(fault.duration_ms);
  given.who = account_.who;
  given.why = "the rehearsal " + account_.rehearsal;
  if (!flaw_of(given, reach_->host, next).empty()) return false;
  return overrides_.submit(std::move(given)) != 0;
}

void ChaosConductor::set(std::size_t place, FaultState state, const std::string& note) {
  {
    const std::lock_guard lock(mutex_);
    auto& changed = account_.faults[place];
    if (changed.state == state && changed.note == note && changed.struck_ms > 0) return;
    changed.state = state;
    changed.note = note;
    if (changed.struck_ms > 0 || !desk_.has_struck(changed.number)) return;
    changed.struck_ms = std::max<std::uint64_t>(elapsed_ms(), 1);
  }
  log(LogLevel::warning, "fault_struck", to_json(injected(place), Floats::plain).dump());
}

InjectedFault ChaosConductor::injected(std::size_t place) const {
  const auto& standing = account_.faults[place];
  return {standing.number, standing.fault, account_.rehearsal, account_.who};
}

std::uint64_t ChaosConductor::elapsed_ms() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_).count());
}

void ChaosConductor::end(const std::string& why) {
  for (std::size_t place = 0; place < account_.faults.size(); ++place) {
    const auto state = account_.faults[place].state;
    if (state != FaultState::waiting && state != FaultState::standing) continue;
    const bool struck = desk_.has_struck(account_.faults[place].number);
    set(place, struck ? FaultState::over : FaultState::missed, account_.faults[place].note);
  }
  desk_.lift_all();
  poisoning_.reset();
  if (reach_) reach_->executor->poison(std::nullopt);
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    account_.elapsed_ms = elapsed_ms();
    account_.ended = why;
    text = to_json(account_, Floats::plain).dump();
  }
  log(LogLevel::warning, "chaos_ends", text);
}

void ChaosConductor::log(LogLevel level, std::string_view event, const std::string& details) const {
  if (reach_ && reach_->log != nullptr) reach_->log->write(level, event, details);
}

}  // namespace esper
