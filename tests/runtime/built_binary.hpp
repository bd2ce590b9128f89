#pragma once
// The executable as it was built, and the smallest config.
#include <filesystem>
#include <string>

#include "tests/cannot_run.hpp"
#include "tests/paths.hpp"

namespace esper {

inline const std::filesystem::path binary = binary_directory() / "esper";
inline const std::string small = (source_directory() / "configs/small.json").string();

/// Says why and returns false where the executable or, if asked, the trainer isn't built.
[[nodiscard]] inline bool can_run(bool training = false) {
  if (!std::filesystem::exists(binary)) {
    cannot_run_here("esper is not built");
    return false;
  }
  if (training && !std::filesystem::exists(binary.parent_path() / "libesper_gpu.so")) {
    cannot_run_here("libesper_gpu.so is not built");
    return false;
  }
  return true;
}

}  // namespace esper
