#include "runtime/digest.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <new>

#include <openssl/evp.h>

#include "messages/result.hpp"

namespace esper {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_) throw std::bad_alloc{};
    if (EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw InvariantViolation("OpenSSL has no SHA-256");
  }

  void add(const char* bytes, std::size_t count) {
    if (EVP_DigestUpdate(context_.get(), bytes, count) != 1)
      throw InvariantViolation("SHA-256 refused its input");
  }

  [[nodiscard]] std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &length) != 1)
      throw InvariantViolation("SHA-256 gave no digest");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(std::size_t{2} * length);
    for (unsigned int i = 0; i < length; ++i) {
      text += digits[digest[i] >> 4U];
      text += digits[digest[i] & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(std::string_view data) {
  Sha256 digest;
  digest.add(data.data(), data.size());
  return digest.finish();
}

std::optional<std::string> sha256_of_file(const std::filesystem::path& file) {
  std::ifstream input{file, std::ios::binary};
  if (!input) return std::nullopt;
  Sha256 digest;
  std::array<char, 1U << 16U> block{};
  while (input.read(block.data(), block.size()) || input.gcount() > 0)
    digest.add(block.data(), static_cast<std::size_t>(input.gcount()));
  if (input.bad()) return std::nullopt;
  return digest.finish();
}

}  // namespace esper
