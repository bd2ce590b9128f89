#pragma once
// One command to its end, in a folder of its own.
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

struct Said {
  int exit{};
  std::string out, err;
};

inline Said esper_says(std::vector<std::string> arguments) {
  const ScratchFolder folder;
  Process process{binary, std::move(arguments), folder};
  const int exit = process.wait();
  return {exit, process.out(), process.err()};
}

}  // namespace esper
