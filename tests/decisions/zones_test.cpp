#include "actors/decisions/zones.hpp"

#include "actors/decisions/region_graph.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace esper {
namespace {

std::string text(const std::vector<RegionId>& regions) {
  std::string all;
  for (const RegionId region : regions) all += std::to_string(region.value) + ' ';
  return all;
}

/// Six regions in a row, and a skip from the first to the last but one.
std::vector<RegionEdge> row_with_skip() {
  std::vector<RegionEdge> edges;
  for (std::uint32_t i = 0; i + 1 < 6; ++i) edges.push_back({{i}, {i + 1}, false});
  edges.push_back({{0}, {4}, true});
  return edges;
}

SCENARIO("hops go along edges whichever way, skips too", "[region_graph]") {
  const auto edges = row_with_skip();
  CHECK(text(regions_within(edges, 6, {2}, 0)) == "2 ");
  CHECK(text(regions_within(edges, 6, {2}, 1)) == "1 2 3 ");
  CHECK(text(regions_within(edges, 6, {5}, 1)) == "4 5 ");
  CHECK(text(regions_within(edges, 6, {5}, 2)) == "0 3 4 5 ");
  CHECK(text(regions_within(edges, 6, {5}, 4'000'000'000)) == "0 1 2 3 4 5 ");
  CHECK(text(regions_within(edges, 5, {0}, 1)) == "0 1 4 ");
  CHECK(text(regions_within({{{0}, {9}, false}}, 2, {0}, 3)) == "0 ");
  CHECK(regions_within(edges, 6, {6}, 1).empty());
}

/// Three calm regions in a row; checkpoints every third window.
struct Calm {
  explicit Calm(std::uint32_t radius = 1, std::uint32_t clean = 1)
      : zones({{{0}, {1}, false}, {{1}, {2}, false}}, 3, config(radius, clean)), reports(3) {
    for (std::uint32_t i = 0; i < 3; ++i) reports[i].region = {i};
  }

  static ScaffoldConfig config(std::uint32_t radius, std::uint32_t clean) {
    ScaffoldConfig config;
    config.radius = radius;
    config.clean_checkpoints = clean;
    return config;
  }

  void turns(std::uint64_t count = 1) {
    for (; count > 0; --count) {
      ++window.value;
      cleaned = zones.observe({window, reports, window.value % 3 == 0, in_escrow});
    }
  }

  Zones zones;
  std::vector<RegionReport> reports;
  std::vector<RegionId> in_escrow, cleaned;
  Window window;
};

SCENARIO("a zone stands from the grant until a whole clean checkpoint after its scaffold has left",
         "[zones][ZONE-1]") {
  Calm run;
  run.turns(3);
  CHECK(text(run.cleaned) == "0 1 2 ");
  CHECK(run.zones.state().version == 0);
  run.in_escrow = {{0}};
  run.zones.open({0}, run.window);
  CHECK(text(run.zones.state().embargoed) == "0 1 ");
  CHECK(run.zones.state().version == 1);
  CHECK(run.zones.has_scaffold({0}));
  GIVEN("it is planted and leaves") {
    run.reports[0].scaffolds = 1;
    run.turns(4);  // to window 7, past a checkpoint that was none of calm
    CHECK(text(run.cleaned).empty());
    run.in_escrow.clear();  // all drawn: it stands all the same
    run.turns(1);
    CHECK(run.zones.has_scaffold({0}));
    run.reports[0].scaffolds = 0;
    run.turns(1);  // window 9, a checkpoint: the window after it is the first whole one
    CHECK_FALSE(run.zones.has_scaffold({0}));
    CHECK(run.zones.state().zones.at(0).sunset);
    CHECK(run.zones.state().zones.at(0).clean_checkpoints == 0);
    run.turns(2);
    CHECK(run.zones.embargoed({1}));
    WHEN("all is calm") {
      run.turns(1);
      CHECK(run.zones.state().zones.empty());
      CHECK(run.zones.state().embargoed.empty());
      CHECK(run.zones.state().version == 2);
    }
    WHEN("a region in the zone is shaken") {
      run.reports[1].in_crisis = true;
      run.turns(1);
      CHECK(run.zones.embargoed({0}));
      run.reports[1].in_crisis = false;
      run.turns(3);
      CHECK(run.zones.state().embargoed.empty());
    }
    WHEN("a region outside it is shaken") {
      run.reports[2].in_crisis = true;
      run.turns(1);
      CHECK(run.zones.state().embargoed.empty());
    }
    WHEN("a region in the zone is silent for a window") {
      run.reports.erase(run.reports.begin() + 1);
      run.turns(1);
      CHECK(run.zones.embargoed({0}));
    }
    WHEN("a window is missing") {
      run.window = run.window + 3;  // the next is a checkpoint all the same
      run.turns(1);
      CHECK(run.zones.embargoed({0}));
    }
    WHEN("another scaffold is granted at its very end") {
      run.zones.open({0}, run.window);
      run.in_escrow = {{0}};
      run.turns(1);
      CHECK(run.zones.embargoed({0}));
      CHECK(run.zones.has_scaffold({0}));
    }
  }
  GIVEN("it is never planted") {
    run.turns(5);
    CHECK(run.zones.has_scaffold({0}));
    run.in_escrow.clear();
    run.turns(1);  // window 9
    CHECK_FALSE(run.zones.has_scaffold({0}));
    run.turns(2);
    CHECK(run.zones.embargoed({0}));
    run.turns(1);
    CHECK(run.zones.state().embargoed.empty());
  }
}

SCENARIO("a checkpoint that the scaffold saw part of is not a whole one", "[zones][ZONE-1]") {
  Calm run;
  run.zones.open({2}, {0});
  run.in_escrow = {{2}};
  run.turns(3);
  run.in_escrow.clear();  // never planted: no report ever showed one
  run.turns(3);
  CHECK(run.zones.embargoed({2}));  // it was there when the checkpoint window began
  run.turns(3);
  CHECK_FALSE(run.zones.embargoed({2}));
}

SCENARIO("radius and clean checkpoints are config", "[zones]") {
  Calm wide{2, 2};
  wide.zones.open({0}, {0});
  CHECK(text(wide.zones.state().embargoed) == "0 1 2 ");
  wide.turns(6);
  CHECK(wide.zones.state().zones.at(0).clean_checkpoints == 1);
  wide.turns(3);
  CHECK(wide.zones.state().embargoed.empty());
}

SCENARIO("zones that touch are one embargo, and its version tells every change", "[zones]") {
  Calm run;
  run.in_escrow = {{0}, {2}};
  run.zones.open({0}, {0});
  run.zones.open({2}, {0});
  CHECK(text(run.zones.state().embargoed) == "0 1 2 ");
  CHECK(run.zones.state().version == 2);
  run.zones.open({1}, {0});  // changes nothing that is embargoed
  CHECK(run.zones.state().version == 2);
  CHECK(run.zones.state().zones.size() == 3);
  run.zones.open({7}, {0});
  CHECK(run.zones.state().zones.size() == 3);
}

SCENARIO("a scaffold that nobody granted makes a zone", "[zones][ZONE-1]") {
  Calm run;
  run.reports[1].scaffolds = 1;
  run.turns(1);
  CHECK(text(run.zones.state().embargoed) == "0 1 2 ");
  CHECK(run.zones.state().zones.at(0).since == Window{1});
}

}  // namespace
}  // namespace esper
