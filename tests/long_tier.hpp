#pragma once
// Whether this is the long tier (`scripts/test --long`): counts too large for every run.
#include <cstdlib>

namespace esper {

[[nodiscard]] inline bool long_tier() { return std::getenv("ESPER_LONG") != nullptr; }

/// Cases of a property: `few`, in the long tier `many`. Under a sanitizer, ten times slower and
/// more, a tenth of them: what is counted there is not the rule's breaches but the code's.
[[nodiscard]] inline int cases(int few, int many) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  many /= 10;
#endif
  return long_tier() ? many : few;
}

}  // namespace esper
