#pragma once
// The hosts as PyTorch modules, with the seeds that stand in their slots.
#include <string>

#include "runtime/export/model_structure.hpp"

namespace esper {

/// What the module around it must know of a host.
struct HostText {
  std::string name;            ///< of the class
  std::string inputs, logits;  ///< a sentence's part each: shapes, and what the numbers are
  std::string example;         ///< an expression that makes a batch of 2
  std::string classes;  ///< functions and classes, the host's own last; two blank lines before each
  bool square_root{};   ///< needs the module math
};

/// Errors: InvariantViolation for a host that there is no text for.
[[nodiscard]] HostText host_text(const ModelStructure& structure);

}  // namespace esper
