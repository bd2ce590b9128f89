#include "gpu/weights_hash.hpp"

#include <array>
#include <map>
#include <memory>

#include <openssl/evp.h>

#include "messages/result.hpp"

namespace esper {

namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

void add(const Digest& digest, const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& parameter : module.named_parameters())
    tensors.insert_or_assign(parameter.key(), parameter.value());
  for (const auto& buffer : module.named_buffers())
    tensors.insert_or_assign(buffer.key(), buffer.value());
  for (const auto& [name, tensor] : tensors) {
    const auto bytes = tensor.detach().cpu().contiguous();
    EVP_DigestUpdate(digest.get(), name.data(), name.size() + 1);
    EVP_DigestUpdate(digest.get(), bytes.const_data_ptr(), bytes.nbytes());
  }
}

}  // namespace

std::string weights_hash(const torch::nn::Module& module,
                         const std::vector<torch::nn::Module*>& others) {
  const Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!digest || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1)
    throw InvariantViolation("OpenSSL has no SHA-256");
  add(digest, module);
  for (const auto* other : others) add(digest, *other);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += digits[bytes.at(i) >> 4U];
    text += digits[bytes.at(i) & 15U];
  }
  return text;
}

}  // namespace esper
