#pragma once
// Where the tests find the sources and what was built.
#include <filesystem>

namespace esper {

[[nodiscard]] std::filesystem::path source_directory();
/// Holds the executables and libesper_gpu.so.
[[nodiscard]] std::filesystem::path binary_directory();

}  // namespace esper
