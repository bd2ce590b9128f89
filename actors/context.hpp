#pragma once
// What every actor of one run shares: the seams, the lanes and the peers.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "actors/chaos_desk.hpp"
#include "actors/decisions/planting.hpp"
#include "actors/lane.hpp"
#include "actors/open_breakers.hpp"
#include "actors/override_desk.hpp"
#include "messages/handles.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// How far the journal has come; the launcher waits here for the last turn.
class TurnWatch {
 public:
  void committed(Window window) {
    {
      const std::lock_guard lock(mutex_);
      newest_ = std::max(newest_, window);
    }
    changed_.notify_all();
  }
  /// False: not reached within `patience`.
  [[nodiscard]] bool wait_for(Window window, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return newest_ >= window; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Window newest_;
};

/// Stable handles for requests; they outlive restarts.
struct Peers {
  JournalHandle journal;
  KasminaHandle kasmina;
  UrzaHandle urza;
  OonaHandle oona;
};

struct Lanes {
  Lane<JournalHandle> journal;
  Lane<TolariaHandle> tolaria;
  std::vector<Lane<NarsetHandle>> narsets;  ///< by region
  Lane<TamiyoHandle> tamiyo;
  Lane<KasminaHandle> kasmina;
  Lane<EleshHandle> elesh;
  Lane<EmrakulHandle> emrakul;

  [[nodiscard]] std::vector<LaneQueue*> all() const {
    std::vector<LaneQueue*> queues{&journal.queue(), &tolaria.queue(), &tamiyo.queue(),
                                   &kasmina.queue(), &elesh.queue(),   &emrakul.queue()};
    for (const auto& narset : narsets) queues.push_back(&narset.queue());
    return queues;
  }
};

struct ControlContext {
  RunConfig config;
  HostDescription host;
  Executor& executor;
  JournalStore& journal;
  Metrics& metrics;
  Log& log;
  Peers peers;
  Lanes lanes;
  TelemetryFilter filter;     ///< tests only
  OverrideDesk* overrides{};  ///< null: nobody gives any
  ChaosDesk* chaos{};         ///< null: nothing is injected
  OpenBreakers breakers{executor, metrics};
  TurnWatch turns{};
  std::function<bool()> deposed{};  ///< another process leads the journal now; empty: never
  /// Time is a simulation's: no role has a thread of its own, and none waits for real.
  bool virtual_time{};
  PlantingTactic planting{};  ///< of every Narset; empty: Esper's own

  [[nodiscard]] std::chrono::milliseconds retry() const {
    return std::chrono::milliseconds{config.control.retry_ms};
  }
};
using ControlContextPtr = std::shared_ptr<ControlContext>;

/// What holds a handler up before it does anything: the seeded delay that tests put into handlers,
/// none by default, and a pause that somebody injected.
class HandlerDelay {
 public:
  HandlerDelay(const ControlContext& context, Role role, RegionId region)
      : HandlerDelay(context.config, context.chaos, role, region) {}
  HandlerDelay(const RunConfig& config, ChaosDesk* chaos, Role role, RegionId region)
      : chaos_(chaos),
        role_(role),
        region_(region),
        stream_(config.seed, std::string{"delay."} + std::string{name_of(role)}, region.value),
        delay_ms_max_(config.control.delay_ms_max) {}
  void pause() {
    hold();
    if (delay_ms_max_ > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{stream_.below(delay_ms_max_ + 1)});
  }
  /// Without the delay.
  void hold() {
    if (chaos_ != nullptr) chaos_->handles(role_, region_);
  }

 private:
  ChaosDesk* chaos_;
  Role role_;
  RegionId region_;
  RandomStream stream_;
  std::uint32_t delay_ms_max_;
};

/// The instant as breakers and restarts take it.
[[nodiscard]] inline std::uint64_t now_ms(caf::local_actor& self) {
  const auto since = self.clock().now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

/// Asks `whom`; with no answer by the deadline, or with a refusal, the asker gets a Nudge soon,
/// upon which it asks again. So no request hangs, and none is given up.
template <typename Self, typename Peer, typename Question, typename Done>
void ask(Self self, std::chrono::milliseconds retry, const Peer& whom, Question question,
         std::chrono::milliseconds deadline, Done done) {
  self->request(whom, deadline, std::move(question))
      .then(std::move(done), [self, pause = retry / 10](const caf::error&) {
        self->delayed_send(self, pause, Nudge{});
      });
}
template <typename Self, typename Peer, typename Question, typename Done>
void ask(Self self, const ControlContext& context, const Peer& whom, Question question,
         std::chrono::milliseconds deadline, Done done) {
  ask(self, context.retry(), whom, std::move(question), deadline, std::move(done));
}

/// Keeps an exception's text: CAF's own handler loses it, and the supervisor wants to say why.
inline void keep_exception_text(caf::scheduled_actor* self) {
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
      return caf::make_error(caf::sec::runtime_error, std::string{exception.what()});
    } catch (...) {
      return caf::sec::runtime_error;
    }
  });
}

}  // namespace esper
