#pragma once
// What replicas do together. Every replica of a group makes the same calls in the same order, each
// on its trainer's thread; a call returns when all have made it. What moves the bytes is behind it.
#include <stdexcept>
#include <string>

#include <ATen/core/Tensor.h>

namespace esper {

/// Some replica is lost, too late or has left, or the call was aborted. What was to be summed or
/// broadcast is then of no use, and the group takes no more calls.
struct CollectiveFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Collective {
 public:
  virtual ~Collective() = default;
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  [[nodiscard]] virtual std::uint32_t rank() const = 0;
  [[nodiscard]] virtual std::uint32_t world() const = 0;

  /// values  contiguous, float32 or float64, of one shape everywhere; becomes the sum over all
  ///         replicas, the same bits on each
  /// errors  CollectiveFailed
  virtual void sum(const at::Tensor& values) = 0;
  /// `bytes` of replica `from`, on all. Errors: CollectiveFailed.
  virtual void broadcast(std::string& bytes, std::uint32_t from = 0) = 0;

  /// From any thread: a call under way, and every later one, fails at once. On other replicas those
  /// calls fail that wait for this one's part.
  virtual void abort() noexcept = 0;
  /// After the last call: waits until every replica is here, at most the group's patience, so that
  /// none breaks off what another still reads.
  virtual void leave() noexcept = 0;

 protected:
  Collective() = default;
};

}  // namespace esper
