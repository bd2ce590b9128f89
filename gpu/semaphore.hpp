#pragma once
// A counting semaphore that posts without a lock or an allocation.
#include <cerrno>
#include <chrono>
#include <ctime>

#include <semaphore.h>

namespace esper {

/// POSIX's: std::counting_semaphore of g++ 12 can lose a timed wait's wake-up.
class Semaphore {
 public:
  Semaphore() { sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void post() { sem_post(&semaphore_); }

  /// Waits for a post at most `patience`; false: none came.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    const auto count = patience.count() < 0 ? 0 : patience.count();
    until.tv_sec += static_cast<time_t>(count / 1000);
    until.tv_nsec += static_cast<long>(count % 1000) * 1'000'000;
    if (until.tv_nsec >= 1'000'000'000) {
      until.tv_nsec -= 1'000'000'000;
      ++until.tv_sec;
    }
    while (sem_timedwait(&semaphore_, &until) != 0)
      if (errno != EINTR) return false;
    return true;
  }

 private:
  sem_t semaphore_;
};

}  // namespace esper
