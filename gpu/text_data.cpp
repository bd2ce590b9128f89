#include "gpu/text_data.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include <torch/types.h>

#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/random.hpp"
#include "gpu/text_file.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

using Begins = std::vector<std::uint32_t>;

constexpr std::size_t context = TransformerShape::context;
/// The last sequence of a chunk has no room for its last byte's target, nor to begin later.
constexpr std::size_t samples_per_chunk = TextData::chunk_bytes / context - 1;
constexpr std::size_t test_place = TextData::chunks_per_test - 1;
constexpr std::size_t gate_place = TextData::chunks_per_test / 2 - 1;
constexpr std::uint64_t never_shuffled = static_cast<std::uint64_t>(-1);

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

void shuffle(std::span<std::uint32_t> begins, RandomStream stream) {
  for (std::size_t i = begins.size(); i > 1; --i) std::swap(begins[i - 1], begins[stream.below(i)]);
}

/// `shifts` empty: as they are; else one draw for each sequence.
Batch gather(const std::vector<std::uint8_t>& text, std::span<const std::uint32_t> begins,
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
    : config_(config),
      batch_(batch),
      seed_(seed),
      text_(read_chunks(config.path)),
      shuffled_(never_shuffled) {
  for (std::size_t chunk = test_place; chunk < text_.size() / chunk_bytes; chunk += chunks_per_test)
    std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(chunk * chunk_bytes), chunk_bytes, 0);
  for (std::size_t place = 0; place < chunks_per_test; ++place) {
    if (place == test_place || place == gate_place) continue;
    const Begins begins = begins_at(text_.size(), place);
    training_.insert(training_.end(), begins.begin(), begins.end());
  }
  gate_ = begins_at(text_.size(), gate_place);
  const std::size_t asked =
      config.training_samples == 0 ? training_.size() : config.training_samples;
  if (config.gate_samples > gate_.size() || asked > training_.size() || batch == 0 || asked < batch)
    throw std::runtime_error(config.path + " holds " + std::to_string(training_.size()) +
                             " sequences to train on and " + std::to_string(gate_.size()) +
                             " in its gate split: too few for " + std::to_string(asked) +
                             " in batches of " + std::to_string(batch) + " and " +
                             std::to_string(config.gate_samples) + "; ask for fewer");
  shuffle(training_, RandomStream(seed, "training split"));
  training_.resize(asked);
  shuffle(gate_, RandomStream(seed, "gate split"));
  gate_.resize(config.gate_samples);
}

void TextData::shuffle_for(std::uint64_t epoch) {
  if (shuffled_ == epoch) return;
  order_ = training_;
  shuffle(order_, RandomStream(seed_, "batch order", epoch));
  shuffled_ = epoch;
}

Batch TextData::next() {
  if (position_.batch >= batches_per_epoch()) position_ = {position_.epoch + 1, 0};
  shuffle_for(position_.epoch);
  const std::uint64_t number = position_.epoch * batches_per_epoch() + position_.batch;
  RandomStream shifts(seed_, "augmentation", number);
  const auto begins = std::span(order_).subspan(position_.batch * batch_, batch_);
  ++position_.batch;
  return gather(text_, begins, config_.augment ? &shifts : nullptr);
}

Batch TextData::gate(std::size_t count) const {
  if (count > gate_.size()) throw InvariantViolation("the gate split holds fewer samples");
  return gather(text_, std::span(gate_).first(count), nullptr);
}

Batch TextData::read_test_split() {
  if (test_read_) throw InvariantViolation("the test split is read once, by the report");
  test_read_ = true;
  const auto text = read_chunks(config_.path);
  if (text.size() != text_.size())
    throw std::runtime_error(config_.path + " has changed since training began; run again");
  const Begins all = begins_at(text.size(), test_place);
  const std::size_t asked = config_.test_samples == 0
                                ? all.size()
                                : std::min<std::size_t>(config_.test_samples, all.size());
  Begins strewn;
  for (std::size_t i = 0; i < asked; ++i) strewn.push_back(all[i * all.size() / asked]);
  return gather(text, strewn, nullptr);
}

}  // namespace esper
