// A region's book and Tamiyo's ledger keep the same account of one lease, turn by turn.
#include "actors/decisions/book.hpp"
#include "actors/decisions/random.hpp"
#include "actors/decisions/strategy.hpp"
#include "tests/decisions/turn_reports.hpp"
#include "tests/test_seed.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <vector>

namespace esper {
namespace {

/// A region that spends at random what it is given, by the rules of its book.
struct Spender {
  explicit Spender(RegionId its) : region(its), book(its) {}

  RegionId region;
  Book book;
  std::uint64_t sequence{};
  std::vector<SeedId> seeds;

  CommandId command() { return {region, {1}, ++sequence}; }

  void take(const Answers& answers, Window now) {
    book.end_lease(now);
    if (answers.allocation) book.renew(*answers.allocation);
    for (const Verdict& verdict : answers.verdicts)
      if (verdict.kind == VerdictKind::approved) book.add(verdict.amount);
    for (const TopUp& top_up : answers.top_ups) book.take_top_up(top_up);
    for (const std::uint64_t reservation : answers.expired) (void)book.expire(reservation);
  }

  void act(RandomStream& random) {
    if (random.below(3) == 0) {
      const SeedId seed{sequence + 1};
      const std::array<CommandId, 3> commands{command(), command(), command()};
      if (book.reserve_seed(seed, {{4}, {12}, {4}}, commands)) seeds.push_back(seed);
    }
    if (seeds.empty()) return;
    const SeedId seed = seeds[random.below(seeds.size())];
    switch (random.below(6)) {
      case 0:
        book.settle(seed, ReservationPart::germinate, {4}, command());
        break;
      case 1:
        book.settle(seed, ReservationPart::graft, {9}, command());
        break;
      case 2:
        book.release(seed);
        break;
      case 3:
        (void)book.ask_top_up(seed, {3}, command());
        break;
      case 4:
        (void)book.reserve_rise(seed, {2}, command());
        break;
      default:
        break;
    }
  }
};

SCENARIO("a region's book and the ledger agree after every turn", "[strategy][book]") {
  RandomStream random{test_seed(), "books"};
  StrategySettings settings;
  settings.regions = 3;
  settings.budget.mint_per_region = 60;
  Strategy strategy{settings};
  std::vector<Spender> spenders{Spender{{0}}, Spender{{1}}, Spender{{2}}};
  StrategyPart before;
  before.answers.resize(3);
  std::uint64_t proposals_made = 0;
  for (Window window{1}; window <= Window{400}; window = window + 1) {
    std::vector<RegionReport> reports;
    std::vector<OpportunityProposal> proposals;
    for (Spender& spender : spenders) {
      spender.take(before.answers[spender.region.value], window);
      if (random.below(10) == 0)
        continue;  // away: it follows its answers, and decides and reports nothing
      spender.act(random);
      RegionReport report;
      report.region = spender.region;
      report.learning_rate_ratio = 1;
      report.loss_mean = 1.0 / static_cast<double>(window.value);
      report.asked = {20};
      report.confidence = 1;
      report.held = spender.book.free();
      report.movements = spender.book.take_movements();
      if (random.below(5) == 0) {
        OpportunityProposal proposal;
        proposal.id = ++proposals_made;
        proposal.region = spender.region;
        proposal.ask = {7};
        proposal.predicted_gain = 0.1;
        proposal.valid_until = window + 6;
        proposals.push_back(proposal);
      }
      reports.push_back(report);
    }
    before = decide(strategy, turn_reports(window, reports, proposals), {1});
    CHECK(before.refused.empty());
    for (const RegionReport& report : reports) {
      Spender twin = spenders[report.region.value];
      twin.take(before.answers[report.region.value], window + 1);
      const Lease lease = strategy.ledger.lease(report.region);
      INFO("window " << window.value << ", region " << report.region.value);
      CHECK(twin.book.free() == lease.free);
      CHECK(twin.book.until() == lease.until);
    }
  }
  CHECK(strategy.ledger.conserves_energy());
  CHECK(strategy.ledger.balance().spent > Energy{0});
}

}  // namespace
}  // namespace esper
