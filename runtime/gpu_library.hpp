#pragma once
// libesper_gpu.so, loaded when a command trains: the executable itself links no LibTorch.
#include <filesystem>
#include <string>

#include "messages/interfaces.hpp"

namespace esper {

struct GpuLibraryFault {
  std::string sentence;  ///< for people: what is missing and where it was looked for
};

/// The library's factory; it lives as long as the process. `folder` empty: the executable's own.
/// Errors: the file isn't there, can't be loaded, or lacks `esper_gpu`.
[[nodiscard]] Result<TrainingFactory*, GpuLibraryFault> load_gpu_library(
    const std::filesystem::path& folder = {});

}  // namespace esper
