// Gloo's headers stand in LibTorch's only behind this word; libgloo-dev has them, LibTorch the
// code.
#define USE_C10D_GLOO
#include "gpu/gloo_collective.hpp"

#include <csignal>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "gpu/leave_together.hpp"

namespace esper {

namespace {

/// Can be left while others wait for it.
class OpenGroup : public c10d::ProcessGroupGloo {
 public:
  using ProcessGroupGloo::ProcessGroupGloo;
  // In libgloo-dev's headers a Context has a table of virtual functions, in LibTorch's code it has
  // none. What is called here is not virtual; only a sanitizer looks for the table.
  __attribute__((no_sanitize("vptr"))) void close() {
    for (const auto& context : contexts_) context->closeConnections();
  }
};

/// Gloo writes to connections that the other side has closed, and would be ended by it: while this
/// lives, threads are born that take no SIGPIPE.
class WithoutBrokenPipe {
 public:
  WithoutBrokenPipe() {
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before_);
  }
  ~WithoutBrokenPipe() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutBrokenPipe(const WithoutBrokenPipe&) = delete;
  WithoutBrokenPipe& operator=(const WithoutBrokenPipe&) = delete;

 private:
  sigset_t before_{};
};

/// Of one call: ended by the group's own thread, or by an abort.
struct Ending {
  std::mutex mutex;
  std::condition_variable changed;
  bool done{}, aborted{};
};

class GlooCollective final : public Collective {
 public:
  GlooCollective(std::shared_ptr<SharedStore> store, const GlooPlace& place)
      : place_(place), store_(std::move(store)), ending_(std::make_shared<Ending>()) {
    const WithoutBrokenPipe threads_of_gloo;
    const auto options = c10d::ProcessGroupGloo::Options::create(place.patience);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(place.address));
    options->threads = 1;
    auto table = c10::make_intrusive<c10d::PrefixStore>(
        place.group, c10::intrusive_ptr<c10d::Store>::reclaim_copy(&store_->table()));
    table->setTimeout(place.patience);
    try {
      group_ = c10::make_intrusive<OpenGroup>(table, static_cast<int>(place.rank),
                                              static_cast<int>(place.world), options);
    } catch (const std::exception& failure) {
      throw CollectiveFailed("the replicas of " + place.group +
                             " did not come together: " + plain(failure));
    }
  }

  ~GlooCollective() override {
    abort();
    let_go(std::move(group_));
  }

  std::uint32_t rank() const override { return place_.rank; }
  std::uint32_t world() const override { return place_.world; }

  void sum(const at::Tensor& values) override {
    std::vector<at::Tensor> tensors{values};
    run([&] { return group_->allreduce(tensors); });
  }

  void broadcast(std::string& bytes, std::uint32_t from) override {
    at::Tensor count = at::tensor({static_cast<std::int64_t>(bytes.size())}, at::kLong);
    broadcast_tensor(count, from);
    const auto size = count.item<std::int64_t>();
    if (size == 0) {
      bytes.clear();
      return;
    }
    at::Tensor content = at::empty({size}, at::kByte);
    if (place_.rank == from) std::memcpy(content.mutable_data_ptr(), bytes.data(), bytes.size());
    broadcast_tensor(content, from);
    bytes.assign(static_cast<const char*>(content.const_data_ptr()),
                 static_cast<std::size_t>(size));
  }

  void abort() noexcept override {
    // Whom this wakes may destroy this object at once.
    const auto ending = ending_;
    c10::intrusive_ptr<OpenGroup> group;
    {
      const std::lock_guard lock(ending->mutex);
      if (std::exchange(ending->aborted, true)) return;
      group = group_;
    }
    ending->changed.notify_all();
    try {
      group->close();
    } catch (const std::exception&) {
      // Connections that are gone already.
    }
    let_go(std::move(group));
  }

  void leave() noexcept override {
    {
      const std::lock_guard lock(ending_->mutex);
      if (ending_->aborted) return;
    }
    leave_together(*store_, place_.group, place_.world, place_.patience);
  }

 private:
  static std::string plain(const std::exception& failure) {
    const auto* error = dynamic_cast<const c10::Error*>(&failure);
    const std::string text = error != nullptr ? error->what_without_backtrace() : failure.what();
    // Behind it Gloo guesses at causes.
    return text.substr(0, text.find(". This is typically"));
  }

  /// The group's destructor waits for its thread, which may yet wait for a replica that is lost.
  static void let_go(c10::intrusive_ptr<OpenGroup> group) {
    std::thread([group = std::move(group)]() mutable { group.reset(); }).detach();
  }

  void broadcast_tensor(const at::Tensor& tensor, std::uint32_t from) {
    std::vector<at::Tensor> tensors{tensor};
    c10d::BroadcastOptions options;
    options.rootRank = from;
    run([&] { return group_->broadcast(tensors, options); });
  }

  /// Waits for the call in a way that an abort can end; the work keeps its tensors until the
  /// group's thread lets go of them.
  template <typename Begin>
  void run(const Begin& begin) {
    {
      const std::lock_guard lock(ending_->mutex);
      if (ending_->aborted) throw CollectiveFailed("the group of replicas has been left");
      ending_->done = false;
    }
    try {
      const auto work = begin();
      const auto future = work->getFuture();
      future->addCallback([ending = ending_](c10::ivalue::Future&) {
        {
          const std::lock_guard lock(ending->mutex);
          ending->done = true;
        }
        ending->changed.notify_all();
      });
      std::unique_lock lock(ending_->mutex);
      ending_->changed.wait(lock, [&] { return ending_->done || ending_->aborted; });
      const bool done = ending_->done;
      lock.unlock();
      if (!done) throw CollectiveFailed("the call was aborted");
      work->wait();
    } catch (const CollectiveFailed&) {
      throw;
    } catch (const std::exception& failure) {
      abort();  // whoever waits for this replica fails now, too
      throw CollectiveFailed("a replica is lost: " + plain(failure));
    }
  }

  GlooPlace place_;
  std::shared_ptr<SharedStore> store_;
  std::shared_ptr<Ending> ending_;
  c10::intrusive_ptr<OpenGroup> group_;
};

}  // namespace

std::unique_ptr<Collective> gloo_collective(std::shared_ptr<SharedStore> store,
                                            const GlooPlace& place) {
  return std::make_unique<GlooCollective>(std::move(store), place);
}

}  // namespace esper
