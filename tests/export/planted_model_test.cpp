// Every design that can fossilise, in every host, alone and in groups, cut and uncut.
#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "gpu/surgery.hpp"
#include "messages/json.hpp"
#include "runtime/export/python_module.hpp"
#include "tests/export/exported.hpp"

namespace esper {
namespace {

RunConfig short_config(const std::string& host, const std::string& size) {
  RunConfig config;
  config.name = "export \"test\"\\";  // no end of a docstring
  config.mode = Mode::off;
  config.model.host = host;
  config.model.size = size;
  config.data.path = default_data_path(host);
  config.data.training_samples = 1'000;
  config.data.gate_samples = 64;
  config.data.test_samples = 64;
  config.training.batch = 16;
  config.training.steps_max = 12;
  return config;
}

/// One seed of each kind of that layout, over the host's point slots in turn; alphas differ.
std::vector<std::vector<PlantedSeed>> rounds(const RunConfig& config, const HostDescription& host,
                                             std::uint32_t channels_cut) {
  std::vector<std::vector<PlantedSeed>> all;
  std::uint32_t slot = 0;
  auto designs = built_in_blueprints();
  designs.insert(designs.end(), config.blueprints.add.begin(), config.blueprints.add.end());
  for (const Blueprint& design : designs) {
    if (!fits(design, host.slots.front()) || design.blueprint_class == BlueprintClass::scaffold)
      continue;
    while (slot < host.slots.size() && host.slots[slot].kind != SlotKind::point) ++slot;
    if (all.empty() || slot >= host.slots.size()) {
      all.emplace_back();
      slot = 0;
      while (host.slots[slot].kind != SlotKind::point) ++slot;
    }
    const double alpha = all.back().size() % 2 == 0 ? 1 : 0.3;
    all.back().push_back({design.name, {slot}, alpha, host.slots[slot].channels + channels_cut});
    ++slot;
  }
  return all;
}

Blueprint design(const char* name, BlueprintKind kind, std::uint32_t kernel,
                 std::uint32_t reduction, double dropout) {
  Blueprint blueprint;
  blueprint.name = name;
  blueprint.kind = kind;
  blueprint.blueprint_class = BlueprintClass::growth;
  blueprint.kernel = kernel;
  blueprint.reduction = reduction;
  blueprint.dropout = dropout;
  return blueprint;
}

nlohmann::json exported(const RunConfig& config, const std::vector<std::uint32_t>& widths,
                        const std::vector<PlantedSeed>& planted) {
  const ScratchFolder folder;
  Trainer trainer({config, "scratch", widths, planted});
  const std::atomic<bool> stop{false};
  const auto end = trainer.run(stop, {});
  const auto structure = structure_of(config, trainer.host(), planted);
  REQUIRE(trainer.write_model((folder / model_state_name).string(),
                              to_json(structure, Floats::plain).dump()) == "");
  write_text(folder / model_module_name, python_module(structure));
  write_expected(trainer, config, folder / "expected.safetensors");
  const auto found = checked_in_python(folder.path(), folder / "expected.safetensors");
  CHECK(found.at("parameters") == end.model.parameters);
  return found;
}

void export_rounds(const RunConfig& config, const std::vector<std::uint32_t>& widths,
                   std::uint32_t channels_cut) {
  const auto host = describe_host(config.model.host, config.model.size, widths);
  REQUIRE(host);
  std::size_t seeds = 0;
  for (const auto& planted : rounds(config, *host, channels_cut)) {
    const auto found = exported(config, widths, planted);
    CHECK(found.at("seeds").size() == planted.size());
    seeds += planted.size();
  }
  CHECK(seeds >= 5);
}

}  // namespace

SCENARIO("each design that can fossilise computes in plain PyTorch what it computes here",
         "[export]") {
  if (!python_can_load()) return;
  GIVEN("a small image host, with channels cut from host and seeds") {
    auto config = short_config("fashion_cnn", "tiny");
    config.blueprints.add = {design("plain", BlueprintKind::plain_convolution, 3, 0, 0),
                             design("dropped", BlueprintKind::bottleneck, 5, 3, 0.25)};
    export_rounds(config, {7, 13, 21, 29}, 4);
  }
  GIVEN("a larger one as it is launched") {
    for (const char* size : {"base", "deep"}) {
      auto config = short_config("fashion_cnn", size);
      config.training.steps_max = 3;
      export_rounds(config, {}, 0);
    }
  }
  GIVEN("a language model with heads and units cut") {
    auto config = short_config("byte_transformer", "lm-64");
    config.blueprints.add = {design("dropped", BlueprintKind::causal_depthwise, 7, 0, 0.1)};
    config.training.steps_max = 4;
    export_rounds(config, {1, 200, 4, 17, 3, 256}, 0);
  }
  GIVEN("a language model that whole layers have left") {
    auto config = short_config("byte_transformer", "lm-64");
    config.training.steps_max = 4;
    export_rounds(config, {4, 256, 0, 17, 3, 0}, 0);
  }
  GIVEN("a larger language model as it is launched") {
    auto config = short_config("byte_transformer", "lm-128");
    config.training.steps_max = 2;
    config.training.batch = 4;
    export_rounds(config, {}, 0);
  }
}

SCENARIO("a model that lost whole layers holds nothing of them in plain PyTorch",
         "[export][layers]") {
  if (!python_can_load()) return;
  auto config = short_config("byte_transformer", "lm-64");
  config.training.steps_max = 6;
  const std::vector<PlantedSeed> planted{{"causal_depthwise", {4}, 0.5, 64}};  // between the two
  const ScratchFolder folder;
  Trainer trainer({config, "scratch", {}, planted});
  const std::atomic<bool> stop{false};
  (void)trainer.run(stop, {});
  SeedBed none(trainer.model());
  REQUIRE(cut(trainer.model(), none, {{"block0.attention", {1, 3}}},
              {"block1.attention", "block2.feed_forward"})
              .refusal == SurgeryRefusal::none);
  const auto structure = structure_of(config, trainer.model().description(), planted);
  CHECK(structure.widths == std::vector<std::uint32_t>{2, 256, 0, 256, 4, 0});
  REQUIRE(trainer.write_model((folder / model_state_name).string(),
                              to_json(structure, Floats::plain).dump()) == "");
  write_text(folder / model_module_name, python_module(structure));
  write_expected(trainer, config, folder / "expected.safetensors");
  const auto found = checked_in_python(folder.path(), folder / "expected.safetensors");
  std::uint64_t parameters = 0;
  for (const auto& parameter : trainer.model().module().parameters())
    parameters += static_cast<std::uint64_t>(parameter.numel());
  CHECK(found.at("parameters") == parameters);
  CHECK(found.at("seeds").size() == 1);
}

SCENARIO("seeds beside layers, one for a whole group, compute in plain PyTorch what they do here",
         "[export]") {
  if (!python_can_load()) return;
  auto config = short_config("fashion_cnn", "melt");
  const auto host = describe_host("fashion_cnn", "melt", {9});
  REQUIRE(host);
  for (const char* kind : {"normalisation", "low_rank", "depthwise_separable"}) {
    const std::vector<PlantedSeed> planted{{kind, {1}, 0.7, 12},
                                           {"squeeze_excitation", {0}, 1, 12},
                                           {"low_rank", {13}, 1, 12},
                                           {"bottleneck", {14}, 0.5, 12}};
    REQUIRE(host->slots.at(1).kind == SlotKind::branch);
    exported(config, {9}, planted);
  }
}

}  // namespace esper
