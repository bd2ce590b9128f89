#pragma once
// What a fuzz target says when a property breaks.
#include <cstdio>
#include <cstdlib>

namespace esper {

/// Ends the process, which the fuzzer counts as a crash and keeps the input of.
inline void must(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", property);
  std::abort();
}

}  // namespace esper
