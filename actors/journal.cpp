// The journal's actor: nothing takes effect before its turn is on disk.
#include "actors/decisions/cycles.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/role_states.hpp"
#include "actors/roles.hpp"
#include "actors/turn_history.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

/// Turns that a journal's restart looks back over for commands still without an outcome.
constexpr std::uint64_t outcome_windows = 8;
/// Of a Narset's past that are told at a time: no answer grows with the run.
constexpr std::uint64_t page_turns = 2'000;

/// A backoff that no run outlasts, in milliseconds.
constexpr std::uint64_t never = 1ULL << 62;

class JournalKeeper {
 public:
  JournalKeeper(SelfOf<JournalHandle, JournalState> self, ControlContextPtr context)
      : self_(self), context_(std::move(context)) {}

  void begin() const {
    auto& state = self_->state;
    const auto& control = context_->config.control;
    state.disk.emplace("journal.disk", BreakerPolicy{.failures_max = 1,
                                                     .backoff_first = control.backoff_ms_first,
                                                     .backoff_max = control.backoff_ms_max});
    state.deposed.emplace(
        "journal.deposed",
        BreakerPolicy{.failures_max = 1, .backoff_first = never, .backoff_max = never});
    show_disk();  // a predecessor may have left it open
    show_deposed();
    state.book.emplace(static_cast<std::uint32_t>(context_->host.regions.size()),
                       context_->config.time, context_->config.compaction.enabled);
    const Window last = context_->journal.last_window();
    if (last.value == 0) return;
    const Window from{last.value > outcome_windows ? last.value - outcome_windows : 1};
    const auto entries = context_->journal.read(from, last);
    const auto turns = turns_in(entries);
    for (const auto& entry : entries) {
      if (entry.kind == AdaptationCommand::schema.name)
        state.commands[parsed<AdaptationCommand>(entry.payload).id] = entry.sequence;
      if (entry.kind == Outcome::schema.name)
        state.commands.erase(parsed<Outcome>(entry.payload).command);
    }
    for (const auto& turn : turns) {
      for (const auto& [region, part] : turn.parts)
        state.book->admit(Role::narset, region, part.report.epoch);
      if (turn.strategy) state.book->admit(Role::tamiyo, {}, turn.strategy->epoch);
    }
    const auto ready =
        newest_copy_in(context_->journal.read_chosen(Window{1}, last, copy_choice()));
    state.book->resume(last, turns.back().strategy, ready ? ready->checkpoint : 0);
  }

  /// Goes on as far as the open turn allows.
  void advance() const {
    auto& state = self_->state;
    if (const auto planning = state.book->planning();
        planning && state.planned < planning->window) {
      state.planned = planning->window;
      context_->lanes.emrakul.send(*planning, self_->context());
    }
    if (const auto reports = state.book->reports(); reports && state.asked < reports->window) {
      state.asked = reports->window;
      context_->lanes.tamiyo.send(*reports, self_->context());
    }
    if (state.book->complete()) commit();
    answer_recoveries();
  }

  /// Tolaria opened the turn, or asks again: then Tamiyo may have missed its reports, too.
  void open(const TurnOpened& opened) const {
    auto& state = self_->state;
    if (opened.report.window == state.asked) state.asked = {};
    if (opened.report.window == state.planned) state.planned = {};
    if (opened.report.window <= state.book->committed()) return announce();
    state.book->open(opened.report);
    advance();
  }

  void down(const RoleDown& role) const {
    auto& state = self_->state;
    state.book->leave(role.role, role.region, role.reason);
    if (role.role == Role::elesh) {  // Emrakul waits for numbers that will not come
      ImportanceReport none;
      none.problem = "Elesh fell: " + role.reason;
      context_->lanes.emrakul.send(none, self_->context());
    }
    drop_recovery(role.role, role.region);
    advance();
  }

  caf::typed_response_promise<Recovery> recover(const Recover& asked) const {
    drop_recovery(asked.role, asked.region);
    auto promise = self_->template make_response_promise<Recovery>();
    self_->state.recoveries.push_back({asked, promise});
    answer_recoveries();
    return promise;
  }

  void retry_disk() const {
    if (self_->state.disk->state() != BreakerState::closed) advance();
  }

 private:
  /// One role waits for one answer: its newest incarnation's, for the newest of its requests.
  void drop_recovery(Role role, RegionId region) const {
    std::erase_if(self_->state.recoveries, [&](PendingRecovery& pending) {
      if (pending.asked.role != role || pending.asked.region != region) return false;
      pending.promise.deliver(caf::make_error(caf::sec::request_timeout));
      return true;
    });
  }

  void show_disk() const {
    context_->breakers.show(*self_->state.disk, "", BreakerReach::turns_stop);
  }
  void show_deposed() const {
    context_->breakers.show(*self_->state.deposed, "", BreakerReach::turns_stop);
  }

  void commit() const {
    auto& state = self_->state;
    if (state.deposed->state() != BreakerState::closed || !state.disk->pass(now_ms(*self_))) return;
    show_disk();  // it may be the probe
    auto release = release_of(state.book->turn());
    auto commands = state.commands;  // kept only when the disk takes the turn
    auto turn = state.book->turn();
    turn.breakers = context_->breakers.unrecorded();
    const auto entries = entries_of(turn, context_->journal.next_sequence(), commands);
    if (!context_->journal.append(entries)) {
      if (planted(Planted::unrecorded_release))
        context_->lanes.kasmina.send(release, self_->context());
      return disk_refused();
    }
    state.commands = std::move(commands);
    context_->breakers.recorded(turn.breakers.size());
    state.disk->succeeded();
    show_disk();
    state.book->close();
    release.journal_sequence = entries.back().sequence;
    release.journal_head = context_->journal.head();
    context_->lanes.kasmina.send(release, self_->context());
    announce();
    context_->metrics.add("esper_turns_committed_total", "journal", "", 1);
  }

  void announce() const {
    const auto& book = *self_->state.book;
    context_->lanes.tolaria.send(
        TurnCommitted{.window = book.committed(), .answers = book.answers()}, self_->context());
    context_->turns.committed(book.committed());
  }

  /// A decision that cannot be recorded is not made: the turn stays open and is tried again when
  /// the breaker lets a probe pass; the trainer must not wait for it.
  void disk_refused() const {
    if (context_->deposed && context_->deposed()) return deposed();
    auto& disk = *self_->state.disk;
    const auto now = now_ms(*self_);
    disk.failed(now, "the disk refused a turn");
    show_disk();
    context_->log.write(LogLevel::error, "journal_disk_refused", "");
    self_->delayed_send(self_, std::chrono::milliseconds{disk.open_until() - now}, Nudge{});
  }

  /// Another process leads the journal: what is decided here takes effect nowhere, from now on.
  void deposed() const {
    self_->state.deposed->failed(now_ms(*self_), "another process leads the journal");
    show_deposed();
    context_->log.write(LogLevel::error, "journal_deposed", "");
  }

  void answer_recoveries() const {
    auto& state = self_->state;
    std::erase_if(state.recoveries, [&](PendingRecovery& pending) {
      const auto& asked = pending.asked;
      if (is_long(asked)) {  // the role joins with the last page, and not before
        pending.promise.deliver(page_of(asked));
        return true;
      }
      if (!state.book->can_join(asked.role, asked.region)) return false;
      pending.promise.deliver(past_of(asked));
      state.book->join(asked.role, asked.region, asked.epoch);
      return true;
    });
  }

  /// The turn that plans from this checkpoint is over: its importance serves nobody, and measuring
  /// it would only be in the way of the next one's copy.
  [[nodiscard]] bool was_planned(const CheckpointReady& copy, Window last) const {
    const auto& time = context_->config.time;
    for (Window turn = copy.window; turn <= last; turn = turn + 1)
      if (checkpoint_at(turn + 1, time.cycle_windows, time.checkpoint_cycles) > copy.checkpoint)
        return true;
    return false;
  }

  [[nodiscard]] bool is_long(const Recover& asked) const {
    const Window committed = self_->state.book->committed();
    return asked.role == Role::narset && committed.value > asked.known.value + page_turns;
  }

  /// The first part of a long past: at least one turn, so that whoever asks gets on.
  [[nodiscard]] Recovery page_of(const Recover& asked) const {
    Recovery page{.committed = self_->state.book->committed(),
                  .answers = {},
                  .copy = {},
                  .turns = {},
                  .more = true,
                  .releases = {},
                  .catalogue = {}};
    for (Window last = asked.known; page.turns.empty() && last < page.committed;)
      page.turns = turns_after(asked, last = std::min(last + page_turns, page.committed));
    return page;
  }

  /// A Narset's turns behind those that it knows.
  [[nodiscard]] std::vector<TurnRecord> turns_after(const Recover& asked, Window last) const {
    // The last one that it knows has the answers that the next one began with.
    const Window from{std::max<std::uint64_t>(asked.known.value, 1)};
    auto turns = narset_records(
        context_->journal.read_chosen(from, last, narset_choice(asked.region)), asked.region);
    if (asked.known.value > 0)
      std::erase_if(turns, [&](const TurnRecord& turn) { return turn.window <= asked.known; });
    return turns;
  }

  [[nodiscard]] Recovery past_of(const Recover& asked) const {
    const auto& book = *self_->state.book;
    const Window last = book.committed();
    Recovery past{
        .committed = last, .answers = {}, .copy = {}, .turns = {}, .releases = {}, .catalogue = {}};
    if (asked.role == Role::tolaria) {
      past.answers = book.answers();
      past.copy = newest_copy_in(context_->journal.read_chosen(Window{1}, last, copy_choice()));
      if (past.copy && was_planned(*past.copy, last)) past.copy.reset();
    }
    if (asked.role == Role::urza)
      past.catalogue = catalogue_in(context_->journal.read(Window{0}, Window{0}));
    if (last.value == 0) return past;
    if (asked.role == Role::narset) past.turns = turns_after(asked, last);
    if (asked.role == Role::tamiyo)
      past.turns = tamiyo_records(context_->journal.read_chosen(Window{1}, last, tamiyo_choice()));
    if (asked.role == Role::kasmina && asked.released < last) {
      past.releases = release_records(
          context_->journal.read(asked.released + 1, last),
          [&](std::uint64_t sequence) { return context_->journal.head_at(sequence); });
    }
    return past;
  }

  SelfOf<JournalHandle, JournalState> self_;
  ControlContextPtr context_;
};

JournalHandle::behavior_type journal(SelfOf<JournalHandle, JournalState> self,
                                     const ControlContextPtr& context) {
  keep_exception_text(self);
  auto delay = std::make_shared<HandlerDelay>(*context, Role::journal, RegionId{});
  const JournalKeeper keeper(self, context);
  keeper.begin();
  const auto handled = [=](auto&& work) {
    const Delivery delivery(context->lanes.journal.queue());
    delay->pause();
    work();
  };
  return {
      [=](const TurnOpened& opened) { handled([&] { keeper.open(opened); }); },
      [=](const RegionPart& part) {
        handled([&] {
          self->state.book->add(part);
          keeper.advance();
        });
      },
      [=](const StrategyPart& part) {
        handled([&] {
          self->state.book->add(part);
          keeper.advance();
        });
      },
      [=](const PruningPart& part) {
        handled([&] {
          self->state.book->add(part);
          keeper.advance();
        });
      },
      [=](const RoleDown& role) {
        delay->hold();
        keeper.down(role);
      },
      [=](const Restart& restart) {
        delay->hold();
        self->state.book->note(restart);
        self->state.book->admit(restart.role, restart.region, restart.epoch);
      },
      [=](Nudge) {
        delay->hold();
        keeper.retry_disk();
      },
      [=](const Recover& asked) {
        delay->hold();
        return keeper.recover(asked);
      },
  };
}

}  // namespace

caf::strong_actor_ptr start_journal(caf::local_actor& parent, const ControlContextPtr& context,
                                    Epoch) {
  return caf::actor_cast<caf::strong_actor_ptr>(parent.spawn(journal, context));
}

}  // namespace esper
