#include "gpu/training_data.hpp"

#include "gpu/fashion_data.hpp"
#include "gpu/text_data.hpp"

namespace esper {

std::unique_ptr<TrainingData> make_training_data(const RunConfig& config) {
  if (config.model.host == "byte_transformer")
    return std::make_unique<TextData>(config.data, config.training.batch, config.seed);
  return std::make_unique<FashionData>(config.data, config.training.batch, config.seed);
}

}  // namespace esper
