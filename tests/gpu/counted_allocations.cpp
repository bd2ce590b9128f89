// A file of its own: where g++ can see into these, it takes each `new` for mismatched.
#include "tests/gpu/counted_allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local std::size_t allocations = 0;

}  // namespace

// All of a kind, or the address sanitizer's own would stand beside these and see mismatches.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace esper {

CountedAllocations::CountedAllocations(std::size_t& total) : total_(total) {
  allocations = 0;
  counting = true;
}

CountedAllocations::~CountedAllocations() {
  counting = false;
  total_ += allocations;
}

}  // namespace esper
