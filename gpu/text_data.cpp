#include "gpu/text_data.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include <torch/types.h>

#include "actors/decisions/host_catalogue.hpp"
#include "gpu/text_file.hpp"

namespace esper {
namespace {

using Begins = std::vector<std::uint32_t>;

constexpr std::size_t context = TransformerShape::context;
/// The last sequence of a chunk has no room for its last byte's target, nor to begin later.
constexpr std::size_t samples_per_chunk = TextData::chunk_bytes / context - 1;
constexpr std::size_t test_place = TextData::chunks_per_test - 1;
constexpr std::size_t gate_place = TextData::chunks_per_test / 2 - 1;

std::vector<std::uint8_t> read_chunks(const std::string& path) {
  auto text = read_text_file(path);
  const std::size_t chunks = text.size() / TextData::chunk_bytes;
  if (chunks < TextData::chunks_per_test)
    throw std::runtime_error(path + " holds " + std::to_string(text.size()) +
                             " bytes of text: too few for three splits; name a text of at least " +
                             std::to_string(TextData::chunks_per_test * TextData::chunk_bytes) +
                             " bytes");
  if (text.size() > 0xffffffffULL)
    throw std::runtime_error(path + " holds more than 4 GiB of text; name a shorter one");
  text.resize(chunks * TextData::chunk_bytes);
  return text;
}

/// Where the samples of every 50th chunk begin.
Begins begins_at(std::size_t text_bytes, std::size_t place) {
  Begins begins;
  for (std::size_t chunk = place; chunk < text_bytes / TextData::chunk_bytes;
       chunk += TextData::chunks_per_test)
    for (std::size_t i = 0; i < samples_per_chunk; ++i)
      begins.push_back(static_cast<std::uint32_t>(chunk * TextData::chunk_bytes + i * context));
  return begins;
}

/// `shifts` empty: as they are; else one draw for each sequence.
Batch gathered(const std::vector<std::uint8_t>& text, std::span<const std::uint32_t> begins,
               RandomStream* shifts) {
  const auto shape = {static_cast<std::int64_t>(begins.size()), static_cast<std::int64_t>(context)};
  Batch batch{torch::empty(shape, torch::kInt64), torch::empty(shape, torch::kInt64)};
  auto* input = batch.inputs.mutable_data_ptr<std::int64_t>();
  auto* target = batch.targets.mutable_data_ptr<std::int64_t>();
  for (const std::uint32_t begin : begins) {
    const std::uint8_t* from = text.data() + begin;
    if (shifts != nullptr) from += shifts->below(context);
    for (std::size_t i = 0; i < context; ++i) {
      *input++ = from[i];
      *target++ = from[i + 1];
    }
  }
  return batch;
}

}  // namespace

TextData::TextData(const DataConfig& config, std::uint32_t batch, std::uint64_t seed)
    : SeededSplits(config, batch, seed), text_(read_chunks(config.path)) {
  for (std::size_t chunk = test_place; chunk < text_.size() / chunk_bytes; chunk += chunks_per_test)
    std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(chunk * chunk_bytes), chunk_bytes, 0);
  Begins training;
  for (std::size_t place = 0; place < chunks_per_test; ++place) {
    if (place == test_place || place == gate_place) continue;
    const Begins begins = begins_at(text_.size(), place);
    training.insert(training.end(), begins.begin(), begins.end());
  }
  Begins gate = begins_at(text_.size(), gate_place);
  const std::size_t asked =
      config.training_samples == 0 ? training.size() : config.training_samples;
  if (config.gate_samples > gate.size() || asked > training.size() || batch == 0 || asked < batch)
    throw std::runtime_error(config.path + " holds " + std::to_string(training.size()) +
                             " sequences to train on and " + std::to_string(gate.size()) +
                             " in its gate split: too few for " + std::to_string(asked) +
                             " in batches of " + std::to_string(batch) + " and " +
                             std::to_string(config.gate_samples) + "; ask for fewer");
  shuffle(training, RandomStream(seed, "training split"));
  training.resize(asked);
  shuffle(gate, RandomStream(seed, "gate split"));
  gate.resize(config.gate_samples);
  set_splits(std::move(training), std::move(gate));
}

Batch TextData::gather(std::span<const std::uint32_t> samples, RandomStream* shifts) const {
  return gathered(text_, samples, shifts);
}

Batch TextData::read_test() const {
  const auto text = read_chunks(config().path);
  if (text.size() != text_.size())
    throw std::runtime_error(config().path + " has changed since training began; run again");
  const Begins all = begins_at(text.size(), test_place);
  const std::size_t asked = config().test_samples == 0
                                ? all.size()
                                : std::min<std::size_t>(config().test_samples, all.size());
  Begins strewn;
  for (std::size_t i = 0; i < asked; ++i) strewn.push_back(all[i * all.size() / asked]);
  return gathered(text, strewn, nullptr);
}

}  // namespace esper
