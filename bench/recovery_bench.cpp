// From a Narset's death to its successor's answer to a telemetry message that waits for it: the
// real tree beside a trainer without tensors, its journal on disk. The successor reads its region's
// whole past, decides it again and reads its seeds back. Each answer is held against that of the
// Narset that nobody killed. Beside it a supervised Erlang process that reloads the same lease,
// reservations and stages from a file. Aim: p99 at most 10 ms.
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include "actors/control_tree.hpp"
#include "actors/turn_history.hpp"
#include "bench/interleaved.hpp"
#include "runtime/journal.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/journalled.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t windows_least = 300, windows_most = 600;
constexpr char slots_per_region = 24;
constexpr int kills_per_round = 200;

/// Shows the control side no window past `open_until`.
class GatedTrainer final : public Executor {
 public:
  explicit GatedTrainer(FakeTrainer& trainer) : trainer_(trainer) {}
  bool next_window(WindowReport& report, std::chrono::milliseconds patience) override {
    if (!trainer_.next_window(report, patience)) return false;
    if (report.window <= open_until.load()) return true;
    std::this_thread::sleep_for(patience);
    return false;
  }
  void finish_window(Window window) override { trainer_.finish_window(window); }
  void wake() override { trainer_.wake(); }
  bool release(const TurnRelease& turn) override { return trainer_.release(turn); }
  Window released() const override { return trainer_.released(); }
  void catch_up(Window until) override { trainer_.catch_up(until); }
  void fence(RegionId region, Epoch epoch) override { trainer_.fence(region, epoch); }
  std::vector<SeedStatus> seeds() const override { return trainer_.seeds(); }
  std::optional<ImportanceReport> measure_importance(std::uint64_t checkpoint) override {
    return trainer_.measure_importance(checkpoint);
  }
  void set_control_alive(bool alive) override { trainer_.set_control_alive(alive); }

  std::atomic<Window> open_until{Window{1'000'000}};

 private:
  FakeTrainer& trainer_;
};

/// Runs `at_death` on the supervisor's thread when it has seen a role die, before it acts on it.
class DeathLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view) override {
    if (event == "role_down" && at_death) at_death();
  }
  std::function<void()> at_death;
};

/// Answers on their way to the journal's actor, and when they came by.
class Tap {
 public:
  void note(const RegionPart& part) {
    const auto now = Clock::now();
    {
      const std::lock_guard lock(mutex_);
      newest_ = {part, now};
    }
    changed_.notify_all();
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    newest_.reset();
  }
  std::pair<RegionPart, Clock::time_point> wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return newest_.has_value(); }))
      throw std::runtime_error("a Narset did not answer");
    return *newest_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::pair<RegionPart, Clock::time_point>> newest_;
};

/// Stands at the journal's lane and passes everything on. The journal's actor says when a message
/// was handled, as ever.
JournalHandle::behavior_type tap_actor(JournalHandle::pointer self, const JournalHandle& journal,
                                       Tap* tap) {
  return {[=](const TurnOpened& opened) { self->send(journal, opened); },
          [=](const RegionPart& part) {
            tap->note(part);
            self->send(journal, part);
          },
          [=](const StrategyPart& part) { self->send(journal, part); },
          [=](const PruningPart& part) { self->send(journal, part); },
          [=](const RoleDown& role) { self->send(journal, role); },
          [=](const Restart& restart) { self->send(journal, restart); },
          [=](Nudge nudge) { self->send(journal, nudge); },
          [=](const Recover&) -> caf::result<Recovery> { return caf::sec::unexpected_message; }};
}

RunConfig bench_config() {
  RunConfig config = small_config();
  // Each death is the first within its period, as it is in life: no backoff is measured.
  config.control.restarts_max = 1'000'000;
  config.control.period_ms = 1;
  return config;
}

/// What tells one incarnation's answer from another's, taken out of it.
nlohmann::json without_incarnation(nlohmann::json json) {
  if (json.is_object())
    for (const char* key : {"epoch", "sequence", "read_back"}) json.erase(key);
  if (json.is_structured())
    for (auto& part : json) part = without_incarnation(part);
  return json;
}
std::string text_of(const RegionPart& part) {
  return without_incarnation(to_json(part, Floats::exact)).dump();
}
std::string text_of(const std::vector<SeedStatus>& seeds, RegionId region) {
  std::string text;
  for (const auto& seed : seeds)
    if (seed.region == region) text += canonical(seed) + "\n";
  return text;
}

struct SystemConfig : caf::actor_system_config {
  SystemConfig() { set("scheduler.max-threads", std::size_t{2}); }
};

/// The tree, come to rest behind a turn with seeds under way, reservations open and no command
/// without its outcome.
class Region {
 public:
  Region() : rig_(bench_config(), slots_per_region), gate_(rig_.trainer) {
    auto made = Journal::create(folder_ / "journal.db");
    if (!made) throw std::runtime_error(made.refusal().sentence);
    journal_ = std::move(made.value());
    if (!journal_->append(rig_.journal.entries())) throw std::runtime_error("no journal");
    auto tree = make_control_tree(system_, rig_.config, rig_.host,
                                  {gate_, *journal_, rig_.metrics, log_, {}});
    context_ = tree.context;
    auto lane = std::make_shared<LaneQueue>("journal", LaneKind::command, 64, 4'096);
    tap_actor_ = system_.spawn(tap_actor, context_->peers.journal, &tap_);
    lane->receiver_started(caf::actor_cast<caf::strong_actor_ptr>(tap_actor_));
    context_->lanes.journal = Lane<JournalHandle>(lane);
    supervisor_ = start_supervisor(system_, context_, std::move(tree.children),
                                   std::make_shared<SupervisionCounts>());
    come_to_rest();
    ask_the_undisturbed();
  }
  ~Region() {
    rig_.trainer.wake();
    caf::scoped_actor self{system_};
    self->monitor(supervisor_);
    self->send_exit(supervisor_, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
    self->send_exit(tap_actor_, caf::exit_reason::kill);
    supervisor_ = nullptr;
    tap_actor_ = nullptr;
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  /// Seconds from its death to its successor's answer.
  double kill() {
    const RegionId region{static_cast<std::uint32_t>(kills_++ % rig_.host.regions.size())};
    tap_.forget();
    log_.at_death = [&] { push(region); };  // the lane keeps it for the successor
    const auto begin = Clock::now();
    caf::anon_send(supervisor_, KillRole{Role::narset, region});
    const auto [part, answered] = tap_.wait();
    if (part.report.region != region || text_of(part) != expected_.at(region.value) ||
        text_of(part.read_back, region) != text_of(rig_.trainer.seeds(), region))
      throw std::runtime_error("a successor answered otherwise than the Narset before it");
    return std::chrono::duration<double>(answered - begin).count();
  }

  /// The turn that all answers were for closes in earnest, with the successors' answers.
  void close() {
    log_.at_death = nullptr;
    gate_.open_until = next_;
    if (!context_->turns.wait_for(next_, patience)) throw std::runtime_error("the turn is open");
    for (const auto& report : journalled<RegionReport>(journal_->read(next_, next_)))
      if (report.said.held != reports_.at(report.region.value).held ||
          report.said.forecast != reports_.at(report.region.value).forecast)
        throw std::runtime_error("the journal has another lease or other reservations");
  }

  [[nodiscard]] std::uint64_t windows() const { return next_.value - 1; }
  [[nodiscard]] std::size_t entries() const { return journal_->next_sequence() - 1; }
  [[nodiscard]] std::size_t seeds() const { return rig_.trainer.seeds().size(); }
  [[nodiscard]] std::size_t reservations() const {
    std::size_t count = 0;
    for (const auto& region : open_) count += region.size();
    return count;
  }

  /// Lease, reservations and stages as Erlang's terms, a line each.
  [[nodiscard]] std::string erlang_terms() const {
    std::ostringstream text;
    for (const auto& report : reports_)
      text << "{lease," << report.region.value << ',' << report.held.thousandths << ','
           << report.forecast.thousandths << "}.\n";
    for (std::size_t region = 0; region < open_.size(); ++region)
      for (const auto& [id, energy] : open_[region])
        text << "{reservation," << region << ',' << id << ',' << energy.thousandths << "}.\n";
    for (const auto& seed : rig_.trainer.seeds())
      text << "{seed," << seed.region.value << ',' << seed.seed.value << ',' << name_of(seed.stage)
           << ',' << std::lround(1'000 * seed.alpha) << "}.\n";
    return text.str();
  }

 private:
  void come_to_rest() {
    for (Window window{1};; window = window + 1) {
      if (!rig_.trainer.close_window(patience) || !context_->turns.wait_for(window, patience))
        throw std::runtime_error("the tree does not close its turns");
      follow(window);
      if (window.value < windows_least) continue;
      const bool rich = std::ranges::all_of(open_, [](const auto& one) { return !one.empty(); });
      if ((quiet_ && rich) || window.value >= windows_most) {
        next_ = window + 1;
        break;
      }
    }
    if (!quiet_) throw std::runtime_error("no quiet window was found");
    WindowReport report;
    while (rig_.trainer.released().value + 1 < next_.value ||
           rig_.trainer.next_window(report, milliseconds{0}))
      std::this_thread::sleep_for(milliseconds{1});
    gate_.open_until = Window{next_.value - 1};
    if (!rig_.trainer.close_window(patience)) throw std::runtime_error("no turn came");
    if (!rig_.trainer.next_window(report_, patience)) throw std::runtime_error("no window");
    answers_ = answers_in(turns_in(journal_->read(Window{next_.value - 1}, next_)).back());
  }

  /// Reservations of that window, and whether it gave commands.
  void follow(Window window) {
    const auto entries = journal_->read(window, window);
    quiet_ = journalled<AdaptationCommand>(entries).empty();
    open_.resize(rig_.host.regions.size());
    for (const auto& [at, region, report] : journalled<RegionReport>(entries))
      for (const auto& movement : report.movements) {
        auto& open = open_[region.value];
        if (movement.kind == MovementKind::reserve)
          open[movement.reservation] = movement.energy;
        else if (movement.kind != MovementKind::top_up)
          open.erase(movement.reservation);
      }
  }

  void push(RegionId region) {
    (void)context_->lanes.narsets.at(region.value).send(region_turn(report_, region, answers_));
  }

  void ask_the_undisturbed() {
    for (std::uint32_t i = 0; i < rig_.host.regions.size(); ++i) {
      tap_.forget();
      push(RegionId{i});
      const auto part = tap_.wait().first;
      expected_.push_back(text_of(part));
      reports_.push_back(part.report);
    }
  }

  ScratchFolder folder_;
  Rig rig_;
  GatedTrainer gate_;
  DeathLog log_;
  std::unique_ptr<Journal> journal_;
  Tap tap_;
  SystemConfig system_config_;
  caf::actor_system system_{system_config_};
  ControlContextPtr context_;
  JournalHandle tap_actor_;
  SupervisorHandle supervisor_;
  Window next_;          ///< that all answers are for
  WindowReport report_;  ///< of it
  std::vector<Answers> answers_;
  bool quiet_ = false;
  std::vector<std::map<std::uint64_t, Energy>> open_;  ///< reservations, by region
  std::vector<std::string> expected_;
  std::vector<RegionReport> reports_;
  std::uint64_t kills_ = 0;
};

/// Empty where there is no Erlang, and said so.
std::vector<double> erlang_kills(const std::filesystem::path& state, int kills) {
  const auto script = std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                      "../../../bench/recovery.escript";
  const std::string command =
      "escript '" + script.string() + "' '" + state.string() + "' " + std::to_string(kills);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  std::vector<double> seconds;
  char line[64];
  while (pipe && std::fgets(line, sizeof line, pipe.get()) != nullptr)
    seconds.push_back(1e-9 * std::strtod(line, nullptr));
  if (seconds.size() != static_cast<std::size_t>(kills))
    throw std::runtime_error("bench/recovery.escript gave " + std::to_string(seconds.size()) +
                             " times, not " + std::to_string(kills));
  return seconds;
}

bool has_erlang() { return std::system("command -v escript >/dev/null 2>&1") == 0; }

struct Times {
  std::vector<double> all, p50, p99;  ///< seconds; of each round
  void add(std::vector<double> round) {
    all.insert(all.end(), round.begin(), round.end());
    p50.push_back(quantile(round, 0.5));
    p99.push_back(quantile(round, 0.99));
  }
  void print(const char* name) {
    std::printf("%-28s %6zu %8.3f %8.3f %8.3f %14.3f %14.3f\n", name, all.size(),
                1e3 * quantile(all, 0.5), 1e3 * quantile(all, 0.99), 1e3 * quantile(all, 1),
                1e3 * quantile(p50, 0.5), 1e3 * quantile(p99, 0.5));
  }
};

void run(int rounds) {
  Region region;
  const ScratchFolder folder;
  const auto state = folder / "state.term";
  write_text(state, region.erlang_terms());
  std::printf("%llu windows, %zu entries; %zu seeds, %zu reservations; state as terms: %zu bytes\n",
              static_cast<unsigned long long>(region.windows()), region.entries(), region.seeds(),
              region.reservations(), region.erlang_terms().size());
  for (int i = 0; i < 20; ++i) (void)region.kill();  // warm
  Times ours, theirs;
  std::vector<Arm> arms{{"esper",
                         [&] {
                           std::vector<double> round;
                           for (int i = 0; i < kills_per_round; ++i) round.push_back(region.kill());
                           ours.add(std::move(round));
                         },
                         {}}};
  const bool erlang = has_erlang();
  if (erlang)
    arms.push_back({"erlang", [&] { theirs.add(erlang_kills(state, kills_per_round)); }, {}});
  run_interleaved(arms, rounds);
  region.close();
  std::printf("%-28s %6s %8s %8s %8s %14s %14s\n", "death to answer, ms", "kills", "p50", "p99",
              "max", "rounds' p50", "rounds' p99");
  ours.print("Narset (aim: p99 <= 10)");
  if (erlang)
    theirs.print("Erlang's, from a file");
  else
    std::printf("Erlang's: not here; scripts/setup --bench installs it\n");
}

}  // namespace

}  // namespace esper

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
  if (rounds < 1) {
    std::fprintf(stderr, "usage: recovery_bench [ROUNDS]; a round is 200 kills\n");
    return 2;
  }
  try {
    esper::run(rounds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "recovery_bench: %s\n", error.what());
    return 1;
  }
}
