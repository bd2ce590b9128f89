#pragma once
// How well a region's Narset did: what it steadied, what it gained and at what price, and how true
// its predictions were. Pure.
#include "runtime/account.hpp"

namespace esper {

/// Quotients are absent where there is nothing to divide by.
struct Scorecard {
  std::string region;
  std::uint64_t windows{}, windows_in_crisis{};
  std::uint64_t crises_begun{}, crises_ended{};
  std::optional<double> stability_restored;         ///< crises ended over begun
  std::uint64_t seeds_stood{}, seeds_fossilised{};  ///< growth seeds
  double gain{};                                    ///< nats per sample, of the fossilised ones
  std::uint64_t parameters{};                       ///< theirs
  std::optional<double> gain_per_thousand_parameters;
  Energy asked, refused, granted, reserved, spent;  ///< asked = refused + reserved
  Energy emergency_asked, emergency_granted;        ///< for scaffolds; what they drew is in `spent`
  std::uint64_t predictions{};                      ///< funded proposals that came to an end
  double predicted_gain{}, realised_gain{};         ///< theirs, nats per sample
  std::optional<double> calibration;                ///< realised over predicted

  static constexpr auto schema = record(
      "Scorecard", field("region", &Scorecard::region), field("windows", &Scorecard::windows),
      field("windows_in_crisis", &Scorecard::windows_in_crisis),
      field("crises_begun", &Scorecard::crises_begun),
      field("crises_ended", &Scorecard::crises_ended),
      field("stability_restored", &Scorecard::stability_restored),
      field("seeds_stood", &Scorecard::seeds_stood),
      field("seeds_fossilised", &Scorecard::seeds_fossilised), field("gain", &Scorecard::gain),
      field("parameters", &Scorecard::parameters),
      field("gain_per_thousand_parameters", &Scorecard::gain_per_thousand_parameters),
      field("asked", &Scorecard::asked), field("refused", &Scorecard::refused),
      field("granted", &Scorecard::granted), field("reserved", &Scorecard::reserved),
      field("spent", &Scorecard::spent), field("emergency_asked", &Scorecard::emergency_asked),
      field("emergency_granted", &Scorecard::emergency_granted),
      field("predictions", &Scorecard::predictions),
      field("predicted_gain", &Scorecard::predicted_gain),
      field("realised_gain", &Scorecard::realised_gain),
      field("calibration", &Scorecard::calibration));
};

/// One for each region of the map, in its order.
[[nodiscard]] std::vector<Scorecard> scorecards_of(const RunAccount& account);

}  // namespace esper
