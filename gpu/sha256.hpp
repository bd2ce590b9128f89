#pragma once
#include <cstddef>
#include <memory>
#include <string>

namespace esper {

/// Fed piece by piece. Errors: InvariantViolation where OpenSSL has no SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, std::size_t count);
  /// Hexadecimal, lower case; once.
  [[nodiscard]] std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace esper
