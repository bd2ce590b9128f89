#include "runtime/cluster/node_identity.hpp"

#include <chrono>

#include "net/certificates.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/commands.hpp"
#include "runtime/digest.hpp"

namespace esper {

namespace {

constexpr std::int32_t days_valid = 30;

}  // namespace

std::uint64_t new_incarnation() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

GateSettings gate_settings(const NodeIdentity& identity, std::uint64_t incarnation) {
  const auto* node = node_named(identity.config, identity.node);
  if (node == nullptr) throw InvariantViolation("there is no node " + identity.node);
  GateSettings settings;
  settings.hello = {.node = identity.node,
                    .incarnation = incarnation,
                    .build = std::string{version_number()},
                    .config = sha256(effective_config(identity.config))};
  for (const auto& member : identity.config.nodes) settings.members.push_back(member.name);
  settings.address = node->address;
  settings.port = static_cast<std::uint16_t>(node->port);
  settings.handshake_max = std::chrono::milliseconds{identity.config.cluster.timeouts.request_ms};
  settings.frame_bytes_max = identity.config.cluster.frame_bytes_max;
  return settings;
}

Result<TlsContext, NodeFilesFault> tls_of(const NodeIdentity& identity) {
  const auto& folder = identity.certificates;
  return tls_context({folder / (identity.node + ".pem"), folder / (identity.node + "-key.pem"),
                      folder / "authority.pem"},
                     identity.node);
}

std::optional<NodeFilesFault> make_certificates(const RunConfig& config,
                                                const std::filesystem::path& folder) {
  const CertificateOrder order{folder, config.name, days_valid};
  if (auto fault = make_authority(order)) return fault;
  for (const auto& node : config.nodes)
    if (const auto made = make_node(order, node.name); !made) return made.refusal();
  return std::nullopt;
}

}  // namespace esper
