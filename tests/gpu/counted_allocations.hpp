#pragma once
// Counts this program's calls of operator new on one thread.
#include <cstddef>

namespace esper {

/// While one lives, its thread's allocations are added to `total`.
class CountedAllocations {
 public:
  explicit CountedAllocations(std::size_t& total);
  ~CountedAllocations();
  CountedAllocations(const CountedAllocations&) = delete;
  CountedAllocations& operator=(const CountedAllocations&) = delete;

 private:
  std::size_t& total_;
};

}  // namespace esper
