#include "sim/shrink.hpp"

#include <algorithm>

namespace esper::sim {

namespace {

class Shrinker {
 public:
  Shrinker(const Rehearsal& from, const SimulationResult& failed, std::uint32_t runs_max)
      : runs_max_(runs_max), invariant_(failed.violations.front().invariant) {
    best_ = {from, failed, 0};
  }

  Shrunk run() {
    shorten();
    drop_faults();
    drop_regions();
    shorten();
    drop_faults();
    return std::move(best_);
  }

 private:
  /// True, and it is the best now, when it fails with the same invariant.
  bool still_fails(const Rehearsal& candidate) {
    if (best_.runs >= runs_max_) return false;
    ++best_.runs;
    auto result = rehearse(candidate);
    const bool same = std::any_of(result.violations.begin(), result.violations.end(),
                                  [&](const auto& one) { return one.invariant == invariant_; });
    if (!same) return false;
    best_.rehearsal = candidate;
    best_.result = std::move(result);
    return true;
  }

  /// Ends soon after the violation; the weather of a shorter run may differ, so it is tried.
  void shorten() {
    constexpr std::uint64_t windows_min = 30;
    for (const auto& violation : best_.result.violations)
      if (violation.invariant == invariant_) {
        auto candidate = best_.rehearsal;
        const std::uint64_t window = violation.at_ms / 1'000;
        for (const std::uint64_t windows : {window + 5, window * 3 / 2 + 5}) {
          candidate.windows = std::max(windows_min, windows);
          if (candidate.windows >= best_.rehearsal.windows) continue;
          std::erase_if(candidate.faults, [&](const Fault& fault) {
            return fault.at_ms >= candidate.windows * 1'000 * 2 / 3;
          });
          if (still_fails(candidate)) return;
          candidate.faults = best_.rehearsal.faults;
        }
        return;
      }
  }

  /// Halves first, then one by one.
  void drop_faults() {
    for (std::size_t part = std::max<std::size_t>(best_.rehearsal.faults.size() / 2, 1);;
         part /= 2) {
      for (std::size_t begin = 0; begin < best_.rehearsal.faults.size();) {
        auto candidate = best_.rehearsal;
        const std::size_t end = std::min(begin + part, candidate.faults.size());
        candidate.faults.erase(candidate.faults.begin() + static_cast<std::ptrdiff_t>(begin),
                               candidate.faults.begin() + static_cast<std::ptrdiff_t>(end));
        if (!still_fails(candidate)) begin = end;
      }
      if (part <= 1) return;
    }
  }

  void drop_regions() {
    for (const std::uint32_t regions : {3U, 6U, 9U, 12U}) {
      if (regions >= best_.rehearsal.regions) return;
      auto candidate = best_.rehearsal;
      candidate.regions = regions;
      std::erase_if(candidate.faults, [&](const Fault& fault) {
        const auto dot = fault.target.find('.');
        return (aims_at_region(fault.kind) || fault.target.starts_with("narset.")) &&
               std::stoul(fault.target.substr(dot + 1)) >= regions;
      });
      if (still_fails(candidate)) return;
    }
  }

  std::uint32_t runs_max_;
  std::string invariant_;
  Shrunk best_;
};

}  // namespace

Shrunk shrink(const Rehearsal& from, const SimulationResult& failed, std::uint32_t runs_max) {
  return Shrinker(from, failed, runs_max).run();
}

Rehearsal rehearsal_of(const SimulationOptions& options, const SimulationResult& result) {
  Rehearsal rehearsal;
  rehearsal.name = "seed_" + std::to_string(options.seed);
  rehearsal.purpose = "drawn from the seed";
  rehearsal.seed = options.seed;
  rehearsal.regions = options.regions;
  rehearsal.windows = options.windows;
  rehearsal.faults = result.faults;
  return rehearsal;
}

}  // namespace esper::sim
