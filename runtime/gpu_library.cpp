#include "runtime/gpu_library.hpp"

#include <dlfcn.h>

namespace esper {

Result<TrainingFactory*, GpuLibraryFault> load_gpu_library(const std::filesystem::path& folder) {
  std::error_code error;
  auto file = folder;
  if (file.empty()) file = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  file /= "libesper_gpu.so";
  if (!std::filesystem::exists(file, error))
    return GpuLibraryFault{file.string() + " is not built: training needs it"};
  // Never closed: LibTorch's threads and registries don't survive that.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return GpuLibraryFault{"libesper_gpu.so can't be loaded: " + std::string{dlerror()}};
  auto entry = reinterpret_cast<TrainingFactoryEntry>(dlsym(library, "esper_gpu"));
  if (entry == nullptr) return GpuLibraryFault{file.string() + " has no esper_gpu"};
  return entry();
}

}  // namespace esper
