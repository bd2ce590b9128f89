// One lane's rule against a receiver that is slow, dies and comes back; no actors, so that
// ThreadSanitizer sees all of it.
#include "actors/credit_queue.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <deque>
#include <functional>
#include <optional>
#include <thread>

namespace esper {

namespace {

using Queue = CreditQueue<std::uint64_t>;

/// The receiver's side: what stands in its mailbox, what it has handled.
struct Receiver {
  std::deque<std::uint64_t> mailbox;
  std::vector<std::uint64_t> handled;

  auto post() {
    return [this](std::uint64_t letter) { mailbox.push_back(letter); };
  }
  void handle(Queue& queue) {
    if (mailbox.empty()) return;
    handled.push_back(mailbox.front());
    mailbox.pop_front();
    queue.delivered(post());
  }
  void die(Queue& queue) {
    mailbox.clear();
    queue.receiver_lost();
  }
};

bool balanced(const LaneCounts& counts) {
  return counts.sent == counts.delivered + counts.collapsed + counts.dead + counts.waiting;
}

enum class Happening : std::uint8_t { send, handle, die, start, strike, close };

/// One random history. Letters count up from 1, so that order and doubling show in the numbers.
struct History {
  Queue queue;
  Receiver receiver;
  std::size_t held_max;
  bool present = false;
  std::uint64_t last = 0;
  std::uint64_t refused = 0;

  History(LaneKind kind, std::size_t credit, std::size_t backlog_max)
      : queue(kind, credit, backlog_max), held_max(credit + backlog_max) {}

  void start() {
    if (std::exchange(present, true)) return;
    queue.receiver_started(receiver.post());
  }
  void run(Happening step) {
    if (step == Happening::send) refused += queue.push(++last, receiver.post()) ? 0 : 1;
    if (step == Happening::handle && present) receiver.handle(queue);
    if (step == Happening::start) start();
    if (step == Happening::strike && present && !receiver.mailbox.empty()) queue.struck();
    if ((step == Happening::die || step == Happening::strike || step == Happening::close) &&
        std::exchange(present, false))
      receiver.die(queue);
    if (step == Happening::close && !present) queue.close();
    RC_ASSERT(balanced(queue.counts()));
    RC_ASSERT(queue.held() <= held_max);
    RC_ASSERT(queue.counts().delivered == receiver.handled.size());
  }
  void drain() {
    start();
    while (!receiver.mailbox.empty()) receiver.handle(queue);
    RC_ASSERT(queue.counts().waiting == 0u);
  }
};

rc::Gen<std::vector<Happening>> histories() {
  // Most steps send or handle, so that lanes fill and empty between the accidents.
  return rc::gen::container<std::vector<Happening>>(
      rc::gen::weightedElement<Happening>({{12, Happening::send},
                                           {9, Happening::handle},
                                           {1, Happening::die},
                                           {3, Happening::start},
                                           {1, Happening::strike},
                                           {1, Happening::close}}));
}

}  // namespace

SCENARIO("a lane loses, doubles and reorders no command, whoever dies when", "[credit_queue]") {
  REQUIRE(rc::check("commands arrive once, in order, or are dead and counted", [] {
    History history(LaneKind::command, *rc::gen::inRange<std::size_t>(1, 6),
                    *rc::gen::inRange<std::size_t>(1, 9));
    for (const Happening happening : *histories()) history.run(happening);
    history.drain();
    const auto& handled = history.receiver.handled;
    for (std::size_t i = 1; i < handled.size(); ++i) RC_ASSERT(handled[i - 1] < handled[i]);
    const auto counts = history.queue.counts();
    RC_ASSERT(counts.collapsed == 0u);
    RC_ASSERT(counts.sent == handled.size() + counts.dead);
    const auto deaths = history.queue.deaths();
    RC_ASSERT(deaths[static_cast<std::size_t>(DeathCause::receiver_lost)] == 0u);
    RC_ASSERT(deaths[static_cast<std::size_t>(DeathCause::backlog_full)] <= history.refused);
  }));
}

SCENARIO("a telemetry lane ends with the newest, whoever dies when", "[credit_queue]") {
  REQUIRE(rc::check("telemetry arrives in order, and the newest of all that could", [] {
    History history(LaneKind::telemetry, *rc::gen::inRange<std::size_t>(1, 6), 1);
    for (const Happening happening : *histories()) history.run(happening);
    history.start();
    history.run(Happening::send);
    history.drain();
    const auto& handled = history.receiver.handled;
    for (std::size_t i = 1; i < handled.size(); ++i) RC_ASSERT(handled[i - 1] < handled[i]);
    RC_ASSERT(handled.back() == history.last);
  }));
}

SCENARIO("a letter that ends three incarnations is spared the fourth", "[credit_queue]") {
  History history(LaneKind::command, 4, 10);
  history.start();
  for (int i = 0; i < 3; ++i) history.run(Happening::send);
  for (std::uint32_t strike = 1; strike <= Queue::strikes_max; ++strike) {
    CHECK(history.queue.counts().dead == 0);
    CHECK(history.receiver.mailbox.front() == 1);
    history.run(Happening::strike);
    history.start();
  }
  CHECK(history.queue.deaths()[static_cast<std::size_t>(DeathCause::poison)] == 1);
  history.drain();
  CHECK(history.receiver.handled == std::vector<std::uint64_t>{2, 3});
}

SCENARIO("a crash between messages is no strike", "[credit_queue]") {
  History history(LaneKind::command, 4, 10);
  history.start();
  history.run(Happening::send);
  for (int i = 0; i < 10; ++i) {
    history.run(Happening::die);
    history.start();
  }
  history.drain();
  CHECK(history.receiver.handled == std::vector<std::uint64_t>{1});
}

SCENARIO("a receiver that handles its last letter just before it could see the backlog is served",
         "[credit_queue]") {
  /// Stored on the waiting list, it lets the receiver act in between.
  struct Letter {
    std::uint64_t number = 0;
    std::function<void()> when_stored;
    Letter() = default;
    Letter(std::uint64_t numbered, std::function<void()> hook)
        : number(numbered), when_stored(std::move(hook)) {}
    Letter(Letter&&) = default;
    Letter& operator=(Letter&& other) noexcept {
      number = other.number;
      if (const auto hook = std::exchange(other.when_stored, nullptr)) hook();
      return *this;
    }
    ~Letter() = default;
  };
  CreditQueue<Letter> queue(LaneKind::command, 1, 1);
  std::vector<std::uint64_t> posted;
  const auto post = [&](Letter& letter) { posted.push_back(letter.number); };
  queue.receiver_started(post);
  REQUIRE(queue.push(Letter(1, nullptr), post));
  REQUIRE(queue.push(Letter(2, [&] { queue.delivered(post); }), post));
  CHECK(posted == std::vector<std::uint64_t>{1, 2});
}

SCENARIO("many senders and a receiver on threads of their own: each sender's order is kept",
         "[credit_queue][threads]") {
  constexpr std::uint64_t senders = 3, each = 20'000, sender_place = 1'000'000;
  constexpr std::size_t credit = 16;
  Queue queue(LaneKind::command, credit, senders * each);
  std::mutex mutex;
  std::deque<std::uint64_t> mailbox;
  const auto post = [&](std::uint64_t letter) {
    const std::lock_guard lock(mutex);
    mailbox.push_back(letter);
    if (mailbox.size() > credit) std::abort();
  };
  queue.receiver_started(post);
  std::vector<std::thread> threads;
  for (std::uint64_t sender = 0; sender < senders; ++sender)
    threads.emplace_back([&, sender] {
      for (std::uint64_t i = 1; i <= each; ++i)
        if (!queue.push(sender * sender_place + i, post)) std::abort();
    });
  std::vector<std::uint64_t> newest(senders, 0);
  std::uint64_t handled = 0, deaths = 0;
  bool in_order = true;
  while (handled < senders * each) {
    std::optional<std::uint64_t> letter;
    {
      const std::lock_guard lock(mutex);
      if (!mailbox.empty()) {
        letter = mailbox.front();
        mailbox.pop_front();
      }
    }
    if (!letter) {
      std::this_thread::yield();
      continue;
    }
    if (handled / 5'000 > deaths) {  // dies with this letter in hand
      ++deaths;
      queue.receiver_lost();
      {
        const std::lock_guard lock(mutex);
        mailbox.clear();
      }
      queue.receiver_started(post);
      continue;
    }
    auto& last = newest.at(*letter / sender_place);
    in_order = in_order && *letter % sender_place == last + 1;
    last = *letter % sender_place;
    ++handled;
    queue.delivered(post);
  }
  for (auto& thread : threads) thread.join();
  CHECK(in_order);
  CHECK(deaths > 5);
  const auto counts = queue.counts();
  CHECK(counts.delivered == senders * each);
  CHECK(counts.waiting == 0);
  CHECK(balanced(counts));
}

}  // namespace esper
