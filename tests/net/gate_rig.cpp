#include <catch2/catch.hpp>

#include <poll.h>

#include "tests/net/gate_rig.hpp"

namespace esper {

namespace {

constexpr std::chrono::seconds patience{60};

}  // namespace

void Stream::write(const std::string& bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    pollfd ready{descriptor_, POLLOUT, 0};
    if (::poll(&ready, 1, 60'000) != 1) return;
    const auto size = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (size <= 0) return;
    done += static_cast<std::size_t>(size);
  }
}

std::string Stream::read(std::size_t size) const {
  std::string bytes;
  while (bytes.size() < size) {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, 60'000) != 1) break;
    char buffer[65'536];
    const auto came = ::read(descriptor_, buffer, std::min(sizeof buffer, size - bytes.size()));
    if (came <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(came));
  }
  return bytes;
}

GateRig::GateRig(GateSettings settings, const NodeFiles& files,
                 std::function<std::string(const Hello&)> answers) {
  auto tls = tls_context(files, settings.hello.node);
  if (!tls) throw std::runtime_error(tls.refusal().sentence);
  gate_ = std::make_unique<Gate>(std::move(settings), tls.value(),
                                 Gate::Events{[this](const Hello&, int stream) {
                                                const std::lock_guard lock(mutex_);
                                                joined_.push_back(stream);
                                                changed_.notify_all();
                                              },
                                              [this](const std::string&, const std::string& why) {
                                                const std::lock_guard lock(mutex_);
                                                refused_.push_back(why);
                                                changed_.notify_all();
                                              },
                                              std::move(answers)});
}

/// What `begin` gives to the callback that it gets.
template <typename Given, typename Begin>
Given GateRig::awaited(const Begin& begin) {
  std::optional<Given> answer;
  begin([&](const Given& given) {
    const std::lock_guard lock(mutex_);
    answer.emplace(given);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return answer.has_value(); }))
    throw std::runtime_error("a dial without an end");  // which would write to what is gone
  return *answer;
}

Result<Gate::Dialled, GateFault> GateRig::dial(const std::string& node, std::uint16_t port) {
  return awaited<Result<Gate::Dialled, GateFault>>(
      [&](const auto& done) { gate_->dial(node, "127.0.0.1", port, done); });
}

Result<std::string, GateFault> GateRig::ask(const std::string& node, std::uint16_t port,
                                            const std::string& question) {
  return awaited<Result<std::string, GateFault>>(
      [&](const auto& done) { gate_->ask(node, "127.0.0.1", port, question, done); });
}

int GateRig::joined() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return !joined_.empty(); })) return -1;
  const int stream = joined_.front();
  joined_.erase(joined_.begin());
  return stream;
}

std::string GateRig::refused() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return !refused_.empty(); });
  return refused_.empty() ? "" : refused_.front();
}

std::vector<std::string> GateRig::refusals() {
  const std::lock_guard lock(mutex_);
  return refused_;
}

GateSettings settings_of(const std::string& node) {
  GateSettings settings;
  settings.hello.node = node;
  settings.hello.incarnation = 7;
  settings.hello.build = "1.0";
  settings.hello.config = "c0ffee";
  settings.members = {"a", "b", "c"};
  return settings;
}

}  // namespace esper
