#include "gpu/weights_hash.hpp"

#include <map>

#include "gpu/sha256.hpp"

namespace esper {

namespace {

void add(Sha256& digest, const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& parameter : module.named_parameters())
    tensors.insert_or_assign(parameter.key(), parameter.value());
  for (const auto& buffer : module.named_buffers())
    tensors.insert_or_assign(buffer.key(), buffer.value());
  for (const auto& [name, tensor] : tensors) {
    if (tensor.numel() == 0) continue;  // of a layer that has left
    const auto bytes = tensor.detach().cpu().contiguous();
    digest.add(name.data(), name.size() + 1);
    digest.add(bytes.const_data_ptr(), bytes.nbytes());
  }
}

}  // namespace

std::string weights_hash(const torch::nn::Module& module,
                         const std::vector<torch::nn::Module*>& others) {
  Sha256 digest;
  add(digest, module);
  for (const auto* other : others) add(digest, *other);
  return digest.finish();
}

}  // namespace esper
