#pragma once
// Where the tests find the sources and what was built.
#include <filesystem>

namespace esper {

[[nodiscard]] std::filesystem::path source_directory();
/// Holds the executables and libesper_gpu.so.
[[nodiscard]] std::filesystem::path binary_directory();
/// The Python of the virtual environment that LibTorch lies in; empty where it lies in none.
[[nodiscard]] std::filesystem::path python_with_torch();

}  // namespace esper
