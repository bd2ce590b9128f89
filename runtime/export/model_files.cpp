#include "runtime/export/model_files.hpp"

#include "actors/decisions/lifecycle.hpp"
#include "messages/json.hpp"
#include "runtime/commands.hpp"
#include "runtime/export/python_module.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

Result<ModelFiles, ModelFilesFault> write_model_files(const RunConfig& config, Training& training,
                                                      const TrainingEnd& end,
                                                      const std::filesystem::path& folder) {
  auto structure = structure_of(config, training.host(), end.planted);
  structure.esper = version_number();
  structure.weights_hash = end.model.weights_hash;
  const auto& slots = training.host().slots;
  ModelFiles files{model_state_name, model_module_name, {}, {}};
  for (const SeedStatus& seed : end.seeds) {
    const auto name = slots.at(seed.slot.value).name + " " + seed.blueprint;
    if (seed.stage == Stage::fossilised)
      files.seeds.push_back(name);
    else if (on_graph(seed.stage) && seed.alpha > 0)
      files.left_out.push_back(name);
  }
  if (const auto problem = training.write_model((folder / files.state).string(),
                                                to_json(structure, Floats::plain).dump());
      !problem.empty())
    return ModelFilesFault{problem};
  const auto module = folder / files.module;
  if (!write_file(module, python_module(structure)))
    return ModelFilesFault{module.string() + " can't be written"};
  return files;
}

}  // namespace esper
