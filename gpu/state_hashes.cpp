#include "gpu/state_hashes.hpp"

#include <cstring>

#include "messages/json.hpp"

namespace esper {

namespace {

/// A word at a time: a model is read whole at each window.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15U;
  hash = (hash ^ word) * factor;
  return hash ^ (hash >> 32);
}

}  // namespace

std::uint64_t hash_of(const void* bytes, std::size_t count) {
  const auto* place = static_cast<const char*>(bytes);
  std::uint64_t hash = mixed(count, 0), word = 0;
  for (; count >= sizeof word; count -= sizeof word, place += sizeof word) {
    std::memcpy(&word, place, sizeof word);
    hash = mixed(hash, word);
  }
  word = 0;
  if (count > 0) std::memcpy(&word, place, count);
  return mixed(hash, word);
}

std::vector<StateHash> state_hashes(HostModel& host, torch::optim::Optimizer& optimizer,
                                    const SeedBed& bed, const SessionData& data) {
  std::vector<StateHash> states;
  const auto add = [&](const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      if (std::holds_alternative<at::Generator>(part.place)) continue;
      const auto value = part.read();
      if (!value.defined()) continue;
      const auto dense = value.contiguous();
      states.push_back({part.name, hash_of(dense.const_data_ptr(), dense.nbytes())});
    }
  };
  add(host_parts(host, optimizer, bed, data));
  for (const auto& live : bed.seeds())
    if (!live->fossilised()) add(seed_parts(*live));
  for (const SeedStatus& status : bed.status()) {
    const std::string text = canonical(status);
    states.push_back(
        {"stage of seed " + std::to_string(status.seed.value), hash_of(text.data(), text.size())});
  }
  return states;
}

std::uint64_t hash_of(const std::vector<StateHash>& states) {
  std::uint64_t hash = 0;
  for (const auto& state : states) hash = mixed(hash, state.hash);
  return hash;
}

}  // namespace esper
