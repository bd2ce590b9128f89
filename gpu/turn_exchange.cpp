#include "gpu/turn_exchange.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace esper {

namespace {

constexpr std::size_t seeds_reserved = 8;  // per region; more only cost an allocation
constexpr std::size_t outcomes_reserved = 32;

/// Keeps every vector's memory.
void empty(WindowReport& report) {
  report.outcomes.clear();
  report.applied.clear();
  report.operations = {};
  report.overhead_paused = report.verdict_ignored = report.stalled = false;
  report.checkpoint.reset();
  report.surgeries.clear();
  report.device = {};
  for (auto& region : report.regions) {
    auto seeds = std::move(region.seeds);
    seeds.clear();
    region = {};
    region.seeds = std::move(seeds);
  }
}

}  // namespace

TurnExchange::TurnExchange(std::uint32_t regions)
    : regions_(regions),
      fences_(std::make_unique<std::atomic<std::uint32_t>[]>(std::max<std::uint32_t>(regions, 1))) {
  prepare(draft_);
  prepare(held_);
  for (auto& place : cells_) prepare(place.report);
}

void TurnExchange::prepare(WindowReport& report) const {
  report.regions.resize(regions_);
  for (auto& region : report.regions) region.seeds.reserve(seeds_reserved);
  report.outcomes.reserve(outcomes_reserved);
  report.applied.reserve(turns_waiting_max);
}

bool TurnExchange::copy_first(WindowReport& report) {
  const std::lock_guard lock(reader_);
  const auto first = finished_.load(std::memory_order_relaxed);
  if (first == written_.load(std::memory_order_acquire)) return false;
  Cell& place = cell(first);
  auto expected = Content::ready;
  // `reading` already: this window was shown before. `writing`: a newer window is taking over.
  if (!place.content.compare_exchange_strong(expected, Content::reading,
                                             std::memory_order_acq_rel) &&
      expected != Content::reading)
    return false;
  report = place.report;
  return true;
}

bool TurnExchange::next_window(WindowReport& report, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (copy_first(report)) return true;
    if (woken_.exchange(false)) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !window_ready_.wait(left)) return copy_first(report);
  }
}

void TurnExchange::finish_window(Window window) {
  const std::lock_guard lock(reader_);
  auto first = finished_.load(std::memory_order_relaxed);
  for (; first != written_.load(std::memory_order_acquire); ++first) {
    Cell& place = cell(first);
    auto expected = Content::ready;
    if (!place.content.compare_exchange_strong(expected, Content::reading,
                                               std::memory_order_acq_rel) &&
        expected != Content::reading)
      return;  // being taken over by a window newer than any that was read
    if (place.report.window > window) {
      place.content.store(Content::ready, std::memory_order_release);
      return;
    }
    place.content.store(Content::empty, std::memory_order_release);
    finished_.store(first + 1, std::memory_order_release);
  }
}

void TurnExchange::wake() {
  ended_.store(true);
  woken_.store(true);
  window_ready_.post();
}

void TurnExchange::publish() {
  const auto position = written_.load(std::memory_order_relaxed);
  while (position - finished_.load(std::memory_order_acquire) == windows_unread_max) {
    Cell& last = cell(position - 1);
    auto expected = Content::ready;
    // Fails only when the reader has come as far as the last cell: then there is room.
    if (!last.content.compare_exchange_strong(expected, Content::writing,
                                              std::memory_order_acq_rel))
      continue;
    take_over(draft_, last.report);
    std::swap(last.report, draft_);
    last.content.store(Content::ready, std::memory_order_release);
    window_ready_.post();
    empty(draft_);
    return;
  }
  Cell& place = cell(position);
  std::swap(place.report, draft_);
  place.content.store(Content::ready, std::memory_order_release);
  written_.store(position + 1, std::memory_order_release);
  window_ready_.post();
  empty(draft_);
}

void TurnExchange::hold() {
  std::swap(draft_, held_);
  empty(draft_);
  holds_ = true;
}

void TurnExchange::settle() {
  if (!std::exchange(holds_, false)) return;
  std::swap(draft_, held_);
  publish();
  std::swap(draft_, held_);
}

bool TurnExchange::withdraw() {
  empty(held_);
  return std::exchange(holds_, false);
}

bool TurnExchange::release(const TurnRelease& turn) {
  const std::lock_guard lock(giver_);
  if (turn.turn.value <= released_.load(std::memory_order_relaxed)) return true;
  const auto given = turns_given_.load(std::memory_order_relaxed);
  if (given - turns_taken_.load(std::memory_order_acquire) == turns_waiting_max) return false;
  turns_[given % turns_waiting_max] = turn;
  turns_given_.store(given + 1, std::memory_order_release);
  released_.store(turn.turn.value, std::memory_order_release);
  turn_ready_.post();
  return true;
}

bool TurnExchange::poll(TurnRelease& turn, Window newest) {
  const auto taken = turns_taken_.load(std::memory_order_relaxed);
  if (taken == turns_given_.load(std::memory_order_acquire)) return false;
  TurnRelease& next = turns_[taken % turns_waiting_max];
  // A journal's turns may be handed over ahead of their time.
  if (next.turn > newest || next.boundary > newest + 1) return false;
  std::swap(turn, next);
  turns_taken_.store(taken + 1, std::memory_order_release);
  return true;
}

bool TurnExchange::await_turn(Window turn, std::chrono::milliseconds patience,
                              const std::atomic<bool>* stop) {
  constexpr std::chrono::milliseconds look{20};  // a stop signal cannot post a semaphore
  const auto until = std::chrono::steady_clock::now() + patience;
  while (released_.load(std::memory_order_acquire) < turn.value) {
    if (!control_alive() || (stop != nullptr && stop->load())) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    // Posts of earlier turns may still be counted: they end this wait early and it begins anew.
    (void)turn_ready_.wait(std::min(left, look));
  }
  return true;
}

Window TurnExchange::released() const { return {released_.load(std::memory_order_acquire)}; }

void TurnExchange::catch_up(Window until) {
  caught_up_.store(until.value, std::memory_order_release);
}

void TurnExchange::fence(RegionId region, Epoch epoch) { raise_fence(region, epoch); }

void TurnExchange::raise_fence(RegionId region, Epoch epoch) {
  if (region.value >= regions_) return;
  auto& fence = fences_[region.value];
  auto present = fence.load(std::memory_order_acquire);
  while (present < epoch.value &&
         !fence.compare_exchange_weak(present, epoch.value, std::memory_order_acq_rel)) {
  }
}

Epoch TurnExchange::fence_of(RegionId region) const {
  return {region.value < regions_ ? fences_[region.value].load(std::memory_order_acquire) : 0};
}

std::vector<SeedStatus> TurnExchange::seeds() const {
  const std::lock_guard lock(seeds_lock_);
  return seeds_;
}

void TurnExchange::publish_seeds(const std::vector<SeedStatus>& seeds) {
  const std::lock_guard lock(seeds_lock_);
  seeds_ = seeds;
}

ExchangeMemory TurnExchange::memory(Window taken) {
  ExchangeMemory memory;
  for (std::uint32_t region = 0; region < regions_; ++region)
    memory.fences.push_back(fence_of({region}));
  memory.released = taken;
  // Cells are written by this thread alone. What a released turn answers is in the journal.
  const auto written = written_.load(std::memory_order_relaxed);
  for (auto i = finished_.load(std::memory_order_acquire); i != written; ++i)
    if (cell(i).report.window > taken) memory.reports.push_back(cell(i).report);
  if (holds_) memory.reports.push_back(held_);
  memory.reports.push_back(draft_);
  memory.seeds = seeds();
  return memory;
}

void TurnExchange::remember(const ExchangeMemory& memory) {
  if (memory.fences.size() != regions_)
    throw std::runtime_error("is of a host with " + std::to_string(memory.fences.size()) +
                             " regions, not " + std::to_string(regions_));
  follow(memory.released, memory.fences);
  publish_seeds(memory.seeds);
}

std::optional<ImportanceReport> TurnExchange::measure_importance(std::uint64_t checkpoint) {
  return measure_ ? measure_(checkpoint, ended_) : std::nullopt;
}

void TurnExchange::poison(std::optional<RegionId> region) {
  poison_.store(region ? region->value + 1 : 0);
}

void TurnExchange::poison_done(RegionId region) {
  auto asked = region.value + 1;
  if (poison_.compare_exchange_strong(asked, 0)) ++poisoned_;
}

void TurnExchange::leave_unattended() {
  attended_.store(false, std::memory_order_release);
  set_control_alive(false);
}

void TurnExchange::follow(Window released, const std::vector<Epoch>& fences) {
  for (std::uint32_t region = 0; region < fences.size(); ++region)
    raise_fence({region}, fences[region]);
  {
    const std::lock_guard lock(giver_);
    if (released_.load(std::memory_order_relaxed) < released.value)
      released_.store(released.value, std::memory_order_release);
  }
  finish_window(released);
}

void TurnExchange::set_control_alive(bool alive) {
  if (alive) attended_.store(true, std::memory_order_release);
  alive_.store(alive, std::memory_order_release);
  turn_ready_.post();
}

}  // namespace esper
