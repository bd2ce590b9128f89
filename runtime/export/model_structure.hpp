#pragma once
// What a finished model is made of, as data: enough to build it anywhere.
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/host.hpp"
#include "messages/training.hpp"

namespace esper {

/// A fossilised seed: one module for each of its slots, all with one alpha.
struct SeedStructure {
  std::string blueprint;
  BlueprintKind kind{};
  std::vector<std::string> slots;
  double alpha{1};
  std::uint32_t channels{};  ///< of its slots as they are, after all cuts
  std::uint32_t reduced{};   ///< inside, which no cut changes; 0 where the kind has none
  std::uint32_t kernel{};    ///< 0 where the kind has none
  double dropout{};          ///< on its output while training

  static constexpr auto schema =
      record("SeedStructure", field("blueprint", &SeedStructure::blueprint),
             field("kind", &SeedStructure::kind), field("slots", &SeedStructure::slots),
             field("alpha", &SeedStructure::alpha), field("channels", &SeedStructure::channels),
             field("reduced", &SeedStructure::reduced), field("kernel", &SeedStructure::kernel),
             field("dropout", &SeedStructure::dropout));
};

struct ModelStructure {
  std::string esper;  ///< version that trained it
  std::string run;    ///< the config's name
  std::uint64_t seed{};
  std::string weights_hash;           ///< of the grown model, as the report has it
  std::string host, size;             ///< as the config names them
  std::vector<std::uint32_t> widths;  ///< one per coupled group of the host, after all cuts; 0: its
                                      ///< layer has left
  double dropout{};                   ///< before the head, while training
  std::vector<SeedStructure> seeds;   ///< in order of germination

  static constexpr auto schema = record(
      "ModelStructure", field("esper", &ModelStructure::esper), field("run", &ModelStructure::run),
      field("seed", &ModelStructure::seed), field("weights_hash", &ModelStructure::weights_hash),
      field("host", &ModelStructure::host), field("size", &ModelStructure::size),
      field("widths", &ModelStructure::widths), field("dropout", &ModelStructure::dropout),
      field("seeds", &ModelStructure::seeds));
};

/// host     as it stands after training
/// planted  what fossilised in it
/// Where it came from is left to fill in. Errors: InvariantViolation for a seed of a design that
/// the config does not have.
[[nodiscard]] ModelStructure structure_of(const RunConfig& config, const HostDescription& host,
                                          const std::vector<PlantedSeed>& planted);

/// Slots in their order in the flow, by name: what the formulas of the host say.
[[nodiscard]] std::vector<std::string> slot_names(const ModelStructure& structure);

}  // namespace esper
