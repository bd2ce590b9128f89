#include <caf/config.hpp>

#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"

namespace esper {

std::string_view version_number() { return "0.1.0"; }

std::string version_text() {
#ifdef NDEBUG
  constexpr std::string_view build = "release";
#else
  constexpr std::string_view build = "checked";
#endif
  const auto library = load_gpu_library();
  const auto torch = library ? library.value()->torch_version() : "not built";
  return "esper " + std::string{version_number()} + " (" + std::string{build} + ", g++ " +
         __VERSION__ + ")\ntorch " + torch + "\nCAF " + std::to_string(CAF_MAJOR_VERSION) + "." +
         std::to_string(CAF_MINOR_VERSION) + "." + std::to_string(CAF_PATCH_VERSION);
}

}  // namespace esper
