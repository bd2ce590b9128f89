#pragma once
// Virtual time, and the links between nodes: what is sent arrives late, twice, in another order or
// never. One seed, one order of events.
#include <functional>
#include <queue>

#include "actors/decisions/random.hpp"
#include "sim/cluster_messages.hpp"
#include "sim/digest.hpp"

namespace esper::sim::cluster {

struct Weather {
  std::vector<std::vector<std::uint32_t>> cut;  ///< faults that cut the way [from][to]
  std::uint32_t lossy{}, doubling{}, slow{};    ///< faults of that kind that last
};

class World {
 public:
  World(std::uint64_t seed, std::uint32_t places);

  struct Event {
    std::uint64_t at_ms{}, number{};
    NodeId node{};
    std::uint64_t process{};     ///< of the node; 0: any, as of messages
    std::optional<NodeId> from;  ///< of a message
    std::shared_ptr<const Payload> payload;
    std::function<void()> timer;
  };

  void send(NodeId from, NodeId to, Payload payload);
  /// `process`: the node's; when it is another by then, nothing happens. 0: whatever it is.
  void after(std::uint64_t delay_ms, NodeId node, std::uint64_t process,
             std::function<void()> what);
  /// The event again, later: its node handles nothing now.
  void defer(Event event, std::uint64_t at_ms);

  /// A line of the trace, where it is kept.
  void note(const std::string& what) {
    if (lines_kept_) lines_.push_back(std::to_string(now_ms_) + " ms: " + what);
  }
  void keep_lines() { lines_kept_ = true; }
  [[nodiscard]] std::vector<std::string>& lines() { return lines_; }

  [[nodiscard]] bool idle() const { return queue_.empty(); }
  /// The next event; time goes on to it.
  [[nodiscard]] Event take();

  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_.below(limit); }
  [[nodiscard]] bool chance(std::uint32_t of_thousand) {
    return random_.below(1'000) < of_thousand;
  }
  [[nodiscard]] Weather& weather() { return weather_; }
  [[nodiscard]] Digest& digest() { return digest_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  void arrive(NodeId from, NodeId to, const std::shared_ptr<const Payload>& payload);
  void push(Event event);

  struct Later {
    bool operator()(const Event& one, const Event& other) const {
      return one.at_ms != other.at_ms ? one.at_ms > other.at_ms : one.number > other.number;
    }
  };
  RandomStream random_;
  Weather weather_;
  Digest digest_;
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
  std::uint64_t now_ms_{}, number_{}, events_{};
  bool lines_kept_{};
  std::vector<std::string> lines_;
};

}  // namespace esper::sim::cluster
