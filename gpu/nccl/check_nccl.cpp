// Is NCCL behind the replicas' interface? Where there are GPUs, one sums over each of them; else
// that this was compiled and linked is all that it shows, and it says so.
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <ATen/ATen.h>
#include <c10/cuda/CUDAFunctions.h>

#include "gpu/nccl/nccl_collective.hpp"

using namespace esper;

namespace {

constexpr std::chrono::milliseconds patience{60'000};

/// True: the sum over all is what it must be.
bool sums(std::uint16_t port, std::uint32_t rank, std::uint32_t world) {
  const auto store = SharedStore::reach("127.0.0.1", port, patience);
  const auto group = nccl_collective(store, {.group = "check",
                                             .device = static_cast<std::int8_t>(rank),
                                             .rank = rank,
                                             .world = world,
                                             .patience = patience});
  const at::Tensor values = at::full({1'000}, static_cast<double>(rank + 1), at::kFloat);
  group->sum(values);
  std::string bytes = rank == 0 ? "told" : "";
  group->broadcast(bytes);
  group->leave();
  const auto expected = static_cast<double>(world * (world + 1) / 2);
  return bytes == "told" && values.eq(expected).all().item<bool>();
}

}  // namespace

int main() {
  const auto world = static_cast<std::uint32_t>(c10::cuda::device_count());
  if (world == 0) {
    std::puts("compiled and linked; there is no GPU here, nothing was summed");
    return EXIT_SUCCESS;
  }
  const auto keeper = SharedStore::keep(0, patience);
  std::atomic<bool> right{true};
  std::vector<std::thread> threads;
  for (std::uint32_t rank = 0; rank < world; ++rank)
    threads.emplace_back([&, rank] {
      try {
        if (!sums(keeper->port(), rank, world)) right = false;
      } catch (const std::exception& failure) {
        std::fprintf(stderr, "rank %u: %s\n", rank, failure.what());
        right = false;
      }
    });
  for (auto& thread : threads) thread.join();
  std::printf("%u GPUs: the sum is %s\n", world, right ? "right" : "WRONG");
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
