// Many Narsets: what a turn and a Narset cost as they grow in number, in one process, and a
// thousand of them over three. The real tree beside a trainer without tensors, its journal in
// memory; each row in a process of its own. Turns are closed as fast as they can be.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <thread>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/interleaved.hpp"
#include "runtime/cluster/node_life.hpp"
#include "runtime/cluster/prime_side.hpp"
#include "tests/actors/control_plane_rig.hpp"

namespace esper {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t windows_before = 10;  // not measured
constexpr std::uint32_t first_port = 7'461;
constexpr std::chrono::seconds turn_patience{300};

RunConfig bench_config() {
  auto config = small_config();
  config.control.retry_ms = 10'000;      // a turn may be long
  config.control.backlog_max = 100'000;  // a part of each Narset at once
  return config;
}

/// `count` regions in a row, a slot each.
HostDescription host_of(std::uint32_t count) {
  HostDescription host;
  host.name = "fake";
  host.parameters = host.operations = std::uint64_t{1'000} * count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto name = "region" + std::to_string(i);
    const std::uint64_t downstream = std::uint64_t{1'000} * (count - i);
    host.regions.push_back({name, {name + "."}, 1'000, 1'000});
    host.slots.push_back({name + ".a", {i}, SlotKind::point, "", 8, 7, 7, downstream, name});
    if (i > 0) host.edges.push_back({{i - 1}, {i}, false});
  }
  return host;
}

double resident_kib(pid_t process) {
  std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      double kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

/// Bytes that loopback has carried.
double loopback_bytes() {
  std::ifstream devices{"/proc/net/dev"};
  for (std::string word; devices >> word;)
    if (word == "lo:") {
      double bytes = 0;
      devices >> bytes;
      return bytes;
    }
  return 0;
}

struct Row {
  double turn_ms{}, kib_each{}, bytes_each{};  ///< median; a Narset; a turn
};

struct Bench {
  std::uint32_t narsets{};
  std::uint64_t windows{};
  ClusterSide* cluster{};
  std::vector<pid_t> others{};  ///< the other nodes' processes

  [[nodiscard]] double resident() const {
    double kib = resident_kib(::getpid());
    for (const pid_t other : others) kib += resident_kib(other);
    return kib;
  }
  [[nodiscard]] Row run(const RunConfig& config) const {
    const auto host = host_of(narsets);
    FakeTrainer trainer(narsets, config.seed);
    MemoryJournal journal;
    SilentMetrics metrics;
    SilentLog log;
    journal.open_with(small_catalogue(host));
    const double before = resident();
    ControlSeams seams{trainer, journal, metrics, log, {}};
    seams.cluster = cluster;
    ControlPlane plane(config, host, seams);
    // Seconds from the window's end on; the trainer's own work, which grows faster, is left out.
    const auto turn = [&](std::uint64_t window) {
      if (!trainer.close_window(turn_patience)) throw std::runtime_error("a turn did not come");
      const auto began = Clock::now();
      if (!plane.finish(Window{window}, turn_patience))
        throw std::runtime_error("a turn did not come");
      return std::chrono::duration<double>(Clock::now() - began).count();
    };
    std::uint64_t window = 0;
    while (window < windows_before) (void)turn(++window);
    Row row{.kib_each = (resident() - before) / narsets};
    std::vector<double> seconds;
    const double bytes = loopback_bytes();
    for (std::uint64_t i = 0; i < windows; ++i) seconds.push_back(turn(++window));
    row.bytes_each = (loopback_bytes() - bytes) / static_cast<double>(windows);
    row.turn_ms = 1e3 * quantile(seconds, 0.5);
    if (plane.stop().restarts > 0) std::fprintf(stderr, "restarts: the row is not of calm\n");
    return row;
  }
};

/// `work` in a process of its own.
template <typename Work>
Row apart(const Work& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    Row row;
    try {
      row = work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
    ::_exit(::write(ends[1], &row, sizeof row) == sizeof row ? 0 : 1);
  }
  ::close(ends[1]);
  Row row;
  const bool told = ::read(ends[0], &row, sizeof row) == sizeof row;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  if (!told) throw std::runtime_error("its process ended before its time, for want of memory?");
  return row;
}

/// The slope of log y over log x, by least squares.
double exponent(const std::vector<std::pair<double, double>>& points) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [count, value] : points) {
    x += std::log(count);
    y += std::log(value);
    xx += std::log(count) * std::log(count);
    xy += std::log(count) * std::log(value);
  }
  const auto n = static_cast<double>(points.size());
  return (n * xy - x * y) / (n * xx - x * x);
}

void in_one_process(const std::vector<std::uint32_t>& counts) {
  std::printf("one process        ms a turn   us a Narset   KiB a Narset\n");
  std::vector<std::pair<double, double>> times, memory;
  for (const std::uint32_t narsets : counts) {
    Row row;
    try {
      row = apart([&] {
        return Bench{.narsets = narsets, .windows = narsets > 1'000 ? 7U : 21U}.run(bench_config());
      });
    } catch (const std::exception& error) {
      std::printf("%8u Narsets: %s\n", narsets, error.what());
      continue;
    }
    times.emplace_back(narsets, row.turn_ms);
    memory.emplace_back(narsets, row.kib_each * narsets);
    std::printf("%8u Narsets %12.1f %13.1f %14.1f\n", narsets, row.turn_ms,
                1e3 * row.turn_ms / narsets, row.kib_each);
    std::fflush(stdout);
  }
  if (times.size() < 2) return;
  std::printf("turns grow with their number to the power %.2f, memory to %.2f\n", exponent(times),
              exponent(memory));
}

/// Of three processes, with TLS between them: the prime and two that take Narsets as it does.
Row over_three(const fs::path& folder, std::uint32_t narsets) {
  auto config = bench_config();
  for (const char* name : {"a", "b", "c"})
    config.nodes.push_back({.name = name,
                            .port = first_port + static_cast<std::uint32_t>(config.nodes.size()),
                            .roles = {NodeRole::narsets}});
  config.nodes.front().roles = {NodeRole::prime, NodeRole::trainer, NodeRole::narsets};
  if (const auto fault = make_certificates(config, folder))
    throw std::runtime_error(fault->sentence);
  const std::atomic<bool> never{false};
  std::vector<pid_t> others;
  for (const char* name : {"b", "c"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      SilentMetrics metrics;
      SilentLog log;
      (void)serve_as_node({config, name, folder},
                          {never, metrics, log, [](const auto&) {}, [](const auto&) {}});
      ::_exit(0);
    }
    others.push_back(child);
  }
  std::this_thread::sleep_for(std::chrono::seconds{1});  // their own memory, before any Narset
  SilentLog log;
  PrimeSide prime({config, "a", folder}, {}, log, never);
  const Row row = Bench{narsets, 21, &prime, others}.run(config);
  for (const pid_t other : others) ::waitpid(other, nullptr, 0);
  return row;
}

void over_three_processes(const fs::path& folder) {
  const Row row = apart([&] { return over_three(folder, 1'000); });
  std::printf(
      "three processes, 1000 Narsets: %.1f ms a turn, %.1f KiB a Narset, %.0f bytes over "
      "the network a turn (%.1f MB/s)\n",
      row.turn_ms, row.kib_each, row.bytes_each, 1e-6 * row.bytes_each / (1e-3 * row.turn_ms));
}

}  // namespace

}  // namespace esper

/// Without words: all rows. "three": the row over three processes alone; numbers: rows of so many
/// Narsets in one process alone.
int main(int count, char** words) {
  using namespace esper;
  char folder[] = "/tmp/esper-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 1;
  int code = 0;
  try {
    const bool three = count == 2 && std::string{words[1]} == "three";
    std::vector<std::uint32_t> counts;
    for (int i = 1; i < count && !three; ++i)
      counts.push_back(static_cast<std::uint32_t>(std::stoul(words[i])));
    if (count == 1) counts = {100, 300, 1'000, 3'000, 10'000};
    if (!counts.empty()) in_one_process(counts);
    if (count == 1 || three) over_three_processes(folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = 1;
  }
  fs::remove_all(folder);
  return code;
}
