#include "gpu/fashion_data.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <stdexcept>

#include <torch/types.h>

#include "gpu/idx_file.hpp"

namespace esper {
namespace {

constexpr std::size_t side = 28;
constexpr std::size_t image_pixels = side * side;

struct Files {
  CheckedFile images, labels;
};

constexpr Files training_files{
    {"train-images-idx3-ubyte.gz",
     "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
    {"train-labels-idx1-ubyte.gz",
     "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"}};
constexpr Files test_files{{"t10k-images-idx3-ubyte.gz",
                            "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
                           {"t10k-labels-idx1-ubyte.gz",
                            "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"}};

PixelSet read_set(const std::string& folder, const Files& files) {
  PixelSet set{read_idx(folder, files.images, image_pixels), read_idx(folder, files.labels, 1)};
  if (set.pixels.size() != set.labels.size() * image_pixels ||
      std::any_of(set.labels.begin(), set.labels.end(),
                  [](std::uint8_t label) { return label >= fashion_classes; }))
    throw std::runtime_error(folder + " holds images and labels that do not belong together; " +
                             idx_remedy);
  return set;
}

/// Pixels to network input: (x / 255 - mean) / deviation over Fashion-MNIST's training images.
const std::array<float, 256>& normalised() {
  static const auto table = [] {
    constexpr float mean = 0.286F;
    constexpr float deviation = 0.353F;
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = (static_cast<float>(i) / 255.0F - mean) / deviation;
    return values;
  }();
  return table;
}

/// One image, moved by (down, right) pixels; what comes in from outside is black.
void write_image(const std::uint8_t* from, float* into, int down, int right) {
  const auto& table = normalised();
  constexpr int edge = static_cast<int>(side);
  for (int row = 0; row < edge; ++row)
    for (int column = 0; column < edge; ++column) {
      const int source_row = row - down;
      const int source_column = column - right;
      const bool inside =
          source_row >= 0 && source_row < edge && source_column >= 0 && source_column < edge;
      *into++ = table[inside ? from[source_row * edge + source_column] : 0];
    }
}

Batch empty_samples(std::size_t count) {
  const auto samples = static_cast<std::int64_t>(count);
  constexpr auto edge = static_cast<std::int64_t>(side);
  return Batch{torch::empty({samples, 1, edge, edge}, torch::kFloat32),
               torch::empty({samples}, torch::kInt64)};
}

/// `shifts` empty: as they are; else one draw of 9 for each image.
Batch gathered(const PixelSet& set, std::span<const std::uint32_t> rows, RandomStream* shifts) {
  Batch samples = empty_samples(rows.size());
  auto* image = samples.inputs.mutable_data_ptr<float>();
  auto* label = samples.targets.mutable_data_ptr<std::int64_t>();
  for (const std::uint32_t row : rows) {
    const auto shift = shifts == nullptr ? 4 : static_cast<int>(shifts->below(9));
    write_image(set.pixels.data() + std::size_t{row} * image_pixels, image, shift / 3 - 1,
                shift % 3 - 1);
    image += image_pixels;
    *label++ = set.labels[row];
  }
  return samples;
}

}  // namespace

FashionData::FashionData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed)
    : SeededSplits(config, batch, seed), set_(read_set(config.path, training_files)) {
  const std::size_t held = set_.labels.size();
  const std::size_t gate = config.gate_samples;
  const std::size_t left = held - std::min(gate, held);
  const std::size_t asked = config.training_samples == 0 ? left : config.training_samples;
  if (gate > held || asked > left || batch == 0 || asked < batch)
    throw std::runtime_error(
        config.path + " holds " + std::to_string(held) + " training images: too few for " +
        std::to_string(gate) + " in the gate split and " + std::to_string(asked) +
        " to train on in batches of " + std::to_string(batch) + "; ask for fewer");
  std::vector<std::uint32_t> rows(held);
  std::iota(rows.begin(), rows.end(), 0U);
  shuffle(rows, RandomStream(seed, "gate split"));
  const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(gate);
  set_splits({cut, cut + static_cast<std::ptrdiff_t>(asked)}, {rows.begin(), cut});
}

Batch FashionData::gather(std::span<const std::uint32_t> samples, RandomStream* shifts) const {
  return gathered(set_, samples, shifts);
}

Batch FashionData::read_test() const {
  const PixelSet set = read_set(config().path, test_files);
  const std::size_t held = set.labels.size();
  std::vector<std::uint32_t> rows(
      config().test_samples == 0 ? held : std::min<std::size_t>(config().test_samples, held));
  std::iota(rows.begin(), rows.end(), 0U);
  return gathered(set, rows, nullptr);
}

}  // namespace esper
