#include "tests/paths.hpp"

namespace esper {

std::filesystem::path source_directory() { return ESPER_SOURCE_DIR; }
std::filesystem::path binary_directory() { return ESPER_BINARY_DIR; }
std::filesystem::path python_with_torch() { return ESPER_TORCH_PYTHON; }

}  // namespace esper
