#include "gpu/checkpoint_writer.hpp"

#include "messages/failpoint.hpp"

namespace esper {

CheckpointWriter::CheckpointWriter(std::filesystem::path folder, std::size_t keep)
    : folder_(std::move(folder)), keep_(std::max<std::size_t>(keep, 1)) {
  remove_leftovers(folder_);
  thread_ = std::thread([this] { serve(); });
}

CheckpointWriter::~CheckpointWriter() {
  {
    const std::lock_guard lock(lock_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CheckpointWriter::write(CheckpointJob job) {
  {
    const std::lock_guard lock(lock_);
    if (waiting_) ++replaced_;
    waiting_ = std::move(job);
  }
  changed_.notify_all();
}

void CheckpointWriter::finish() {
  std::unique_lock lock(lock_);
  changed_.wait(lock, [this] { return !waiting_ && !busy_; });
}

std::string CheckpointWriter::problem() const {
  const std::lock_guard lock(lock_);
  return problem_;
}

void CheckpointWriter::serve() {
  std::unique_lock lock(lock_);
  for (;;) {
    changed_.wait(lock, [this] { return waiting_ || ending_; });
    if (!waiting_) return;
    busy_ = true;
    auto job = std::exchange(waiting_, std::nullopt);
    lock.unlock();
    auto problem = job->put(folder_);
    if (problem.empty()) {
      pass(Failpoint::checkpoint_written);
      keep_newest(folder_, keep_);
      written_ = job->checkpoint;
      failures_ = 0;
    } else {
      ++failures_;
    }
    job.reset();
    lock.lock();
    if (!problem.empty()) problem_ = std::move(problem);
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace esper
