#pragma once
// Is a peer there? Told by pulses that cross its scheduler, and by its stream's end. CAF's own
// heartbeats come from its I/O thread: a node whose workers all hang has them still.
#include <algorithm>
#include <cstdint>

#include "messages/schema.hpp"

namespace esper {

enum class PeerState : std::uint8_t {
  unknown,  ///< never met
  alive,
  suspected,  ///< silent, or its stream is gone: nothing new is asked of it
  lost,       ///< its regions may move; only a new incarnation comes back
};
ESPER_ENUM_NAMES(PeerState, "unknown", "alive", "suspected", "lost");

struct DetectorPolicy {
  std::uint32_t suspicion_ms{1'000};     ///< of silence
  std::uint32_t confirmation_ms{1'750};  ///< of silence, suspicion's among them
};

/// A plain value; every call is given the present instant in ms, which never goes back.
class FailureDetector {
 public:
  explicit FailureDetector(const DetectorPolicy& policy) : policy_(policy) {}

  /// It was met by a new stream. False: of an incarnation that is lost or older, which stays out.
  [[nodiscard]] bool met(std::uint64_t incarnation, std::uint64_t now_ms) {
    const bool older =
        state_ != PeerState::unknown &&
        (incarnation < incarnation_ || (incarnation == incarnation_ && state_ == PeerState::lost));
    if (older) return false;
    incarnation_ = incarnation;
    state_ = PeerState::alive;
    heard_ms_ = now_ms;
    stream_gone_ = false;
    return true;
  }
  /// A pulse of that incarnation has come. One that is over or not met yet changes nothing.
  void heard(std::uint64_t incarnation, std::uint64_t now_ms) {
    const bool present = state_ == PeerState::alive || state_ == PeerState::suspected;
    if (!present || incarnation != incarnation_ || stream_gone_) return;
    heard_ms_ = now_ms;
    state_ = PeerState::alive;
  }
  /// Its stream has ended: what it says next comes by another.
  void stream_gone(std::uint64_t incarnation) {
    if (state_ != PeerState::alive && state_ != PeerState::suspected) return;
    if (incarnation != incarnation_) return;
    stream_gone_ = true;
    state_ = PeerState::suspected;
  }
  /// Nobody listens where it listened: its process is over.
  void refused() {
    if (state_ == PeerState::suspected) state_ = PeerState::lost;
  }
  /// What it is at this instant.
  PeerState look(std::uint64_t now_ms) {
    if (state_ != PeerState::alive && state_ != PeerState::suspected) return state_;
    const auto silent_ms = now_ms - std::min(now_ms, heard_ms_);
    if (silent_ms > policy_.confirmation_ms)
      state_ = PeerState::lost;
    else if (silent_ms > policy_.suspicion_ms)
      state_ = PeerState::suspected;
    return state_;
  }

  [[nodiscard]] PeerState state() const { return state_; }
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }

 private:
  DetectorPolicy policy_;
  PeerState state_{};
  std::uint64_t incarnation_{};
  std::uint64_t heard_ms_{};
  bool stream_gone_{};
};

}  // namespace esper
