// NCCL's headers stand in LibTorch's only behind this word.
#define USE_C10D_NCCL
#include "gpu/nccl/nccl_collective.hpp"

#include <atomic>
#include <thread>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "gpu/leave_together.hpp"

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;

class NcclCollective final : public Collective {
 public:
  NcclCollective(std::shared_ptr<SharedStore> store, const NcclPlace& place)
      : place_(place), store_(std::move(store)), device_(at::kCUDA, place.device) {
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = place.patience;
    auto table = c10::make_intrusive<c10d::PrefixStore>(
        place.group, c10::intrusive_ptr<c10d::Store>::reclaim_copy(&store_->table()));
    table->setTimeout(place.patience);
    try {
      group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(table, static_cast<int>(place.rank),
                                                           static_cast<int>(place.world), options);
    } catch (const std::exception& failure) {
      throw CollectiveFailed("the replicas of " + place.group +
                             " did not come together: " + plain(failure));
    }
  }

  ~NcclCollective() override { abort(); }

  std::uint32_t rank() const override { return place_.rank; }
  std::uint32_t world() const override { return place_.world; }

  void sum(const at::Tensor& values) override {
    run([&] {
      std::vector<at::Tensor> there{values.to(device_)};
      finish(group_->allreduce(there));
      if (!values.is_alias_of(there.front())) values.copy_(there.front());
    });
  }

  void broadcast(std::string& bytes, std::uint32_t from) override {
    run([&] {
      const at::Tensor count = at::tensor({static_cast<std::int64_t>(bytes.size())}, at::kLong);
      const auto size = from_rank(count, from).item<std::int64_t>();
      if (size == 0) return bytes.clear();
      const at::Tensor content = at::empty({size}, at::kByte);
      if (place_.rank == from) std::memcpy(content.mutable_data_ptr(), bytes.data(), bytes.size());
      const at::Tensor told = from_rank(content, from).cpu();
      bytes.assign(static_cast<const char*>(told.const_data_ptr()), static_cast<std::size_t>(size));
    });
  }

  void abort() noexcept override {
    if (aborted_.exchange(true)) return;
    try {
      group_->abort();
    } catch (const std::exception&) {
      // Its communicators are gone already.
    }
  }

  void leave() noexcept override {
    if (!aborted_.load()) leave_together(*store_, place_.group, place_.world, place_.patience);
  }

 private:
  static std::string plain(const std::exception& failure) {
    const auto* error = dynamic_cast<const c10::Error*>(&failure);
    return error != nullptr ? error->what_without_backtrace() : failure.what();
  }

  at::Tensor from_rank(const at::Tensor& values, std::uint32_t from) {
    std::vector<at::Tensor> there{values.to(device_)};
    c10d::BroadcastOptions options;
    options.rootRank = from;
    finish(group_->broadcast(there, options));
    return there.front();
  }

  /// A wait of NCCL's own can't be ended from outside: it is looked at instead.
  void finish(const c10::intrusive_ptr<c10d::Work>& work) {
    const auto until = Clock::now() + place_.patience;
    while (!work->isCompleted()) {
      if (aborted_.load()) throw CollectiveFailed("the call was aborted");
      if (Clock::now() >= until) throw CollectiveFailed("a replica did not answer in time");
      std::this_thread::yield();
    }
    if (const auto failure = work->exception()) std::rethrow_exception(failure);
    work->wait();  // the present stream goes on behind the call
  }

  template <typename Call>
  void run(const Call& call) {
    if (aborted_.load()) throw CollectiveFailed("the group of replicas has been left");
    try {
      call();
    } catch (const CollectiveFailed&) {
      abort();
      throw;
    } catch (const std::exception& failure) {
      abort();  // whoever waits for this replica fails now, too
      throw CollectiveFailed("a replica is lost: " + plain(failure));
    }
  }

  NcclPlace place_;
  std::shared_ptr<SharedStore> store_;
  at::Device device_;
  std::atomic<bool> aborted_{false};
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

std::unique_ptr<Collective> nccl_collective(std::shared_ptr<SharedStore> store,
                                            const NcclPlace& place) {
  return std::make_unique<NcclCollective>(std::move(store), place);
}

}  // namespace esper
