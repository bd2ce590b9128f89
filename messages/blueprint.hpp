#pragma once
// What a seed can be: designs, and the risk measured on each.
#include "messages/schema.hpp"

namespace esper {

enum class BlueprintClass : std::uint8_t { growth, scaffold };
ESPER_ENUM_NAMES(BlueprintClass, "growth", "scaffold");

/// The shape-preserving functions f that our library can build: of images to
/// `plain_convolution`, which has no normalisation and stands in the library only where a config
/// adds it; of sequences from `layer_normalisation` on, all of them causal.
enum class BlueprintKind : std::uint8_t {
  normalisation,
  squeeze_excitation,
  depthwise_separable,
  bottleneck,
  low_rank,
  spatial_depthwise,
  plain_convolution,
  layer_normalisation,
  causal_depthwise,
  low_rank_adapter,
  feed_forward_adapter,
  attention_head,
};
ESPER_ENUM_NAMES(BlueprintKind, "normalisation", "squeeze_excitation", "depthwise_separable",
                 "bottleneck", "low_rank", "spatial_depthwise", "plain_convolution",
                 "layer_normalisation", "causal_depthwise", "low_rank_adapter",
                 "feed_forward_adapter", "attention_head");

/// `random`: ordinary initialisation, safe only after a short isolation; `zero`: f is 0 at birth.
enum class Birth : std::uint8_t { random, zero };
ESPER_ENUM_NAMES(Birth, "random", "zero");

/// Sunset metadata: how a scaffold may leave. `fold` where the host's algebra allows it, `wean` by
/// alpha; `either`: the evidence decides. Growth designs have none.
enum class SunsetExit : std::uint8_t { none, fold, wean, either };
ESPER_ENUM_NAMES(SunsetExit, "none", "fold", "wean", "either");

/// An immutable design of a small shape-preserving module.
struct Blueprint {
  std::string name;  ///< unique in the catalogue
  BlueprintKind kind{};
  BlueprintClass blueprint_class{};
  std::uint32_t kernel{};         ///< odd, but of causal_depthwise; 0 where the kind has none
  std::uint32_t reduction{};      ///< channels per reduced channel; 0 where the kind has none
  double dropout{};               ///< on f's output while training, [0, 1)
  double learning_rate_scale{1};  ///< times the seed optimizer's rate
  Birth birth{};
  SunsetExit sunset_exit{};        ///< scaffolds only
  std::uint32_t sunset_windows{};  ///< scaffolds only: on the graph without success, it leaves

  static constexpr auto schema =
      record("Blueprint", field("name", &Blueprint::name), field("kind", &Blueprint::kind),
             field("class", &Blueprint::blueprint_class), field("kernel", &Blueprint::kernel),
             field("reduction", &Blueprint::reduction), field("dropout", &Blueprint::dropout),
             field("learning_rate_scale", &Blueprint::learning_rate_scale),
             field("birth", &Blueprint::birth), field("sunset_exit", &Blueprint::sunset_exit),
             field("sunset_windows", &Blueprint::sunset_windows));
};

/// Urabrask's risk sheet (BSDS) of one blueprint in one slot, measured on the module itself.
struct RiskSheet {
  std::string blueprint;
  SlotId slot;
  double gradient_gain{};  ///< RMS of d(h+f)/dh against the incoming gradient
  double output_gain{};    ///< largest RMS(h+f(h)) / RMS(h) under input scaling
  bool non_finite{};       ///< on zeros, constants or huge input
  double relative_norm{};  ///< RMS(f(h)) / RMS(h) at birth
  std::uint64_t parameters{};
  std::uint64_t operations{};  ///< multiply-accumulates per sample
  std::uint64_t bytes{};       ///< parameters, moments and gradients held while training
  double risk{};               ///< r0 in [0, 1]
  double confidence{};         ///< share of the assay's probes that agreed, [0, 1]
  bool quarantined{};          ///< may not be germinated

  static constexpr auto schema = record(
      "RiskSheet", field("blueprint", &RiskSheet::blueprint), field("slot", &RiskSheet::slot),
      field("gradient_gain", &RiskSheet::gradient_gain),
      field("output_gain", &RiskSheet::output_gain), field("non_finite", &RiskSheet::non_finite),
      field("relative_norm", &RiskSheet::relative_norm),
      field("parameters", &RiskSheet::parameters), field("operations", &RiskSheet::operations),
      field("bytes", &RiskSheet::bytes), field("risk", &RiskSheet::risk),
      field("confidence", &RiskSheet::confidence), field("quarantined", &RiskSheet::quarantined));
};

/// What Urza serves: every design with its sheets. An input of the run, journalled at its start.
struct Catalogue {
  std::vector<Blueprint> blueprints;
  std::vector<RiskSheet> sheets;  ///< one per (blueprint, slot)

  static constexpr auto schema = record("Catalogue", field("blueprints", &Catalogue::blueprints),
                                        field("sheets", &Catalogue::sheets));
};

}  // namespace esper
