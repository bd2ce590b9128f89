#pragma once
// Who a node is to the others: its name, its build, the config that it was given, its certificate.
#include <filesystem>

#include "messages/configuration.hpp"
#include "net/gate.hpp"

namespace esper {

struct NodeIdentity {
  RunConfig config;
  std::string node;
  std::filesystem::path certificates;  ///< folder of authority.pem, NODE.pem and NODE-key.pem
};

/// One that is higher than that of any life of the node before this.
[[nodiscard]] std::uint64_t new_incarnation();

/// What its gate needs. Throws InvariantViolation when the config has no such node.
[[nodiscard]] GateSettings gate_settings(const NodeIdentity& identity, std::uint64_t incarnation);

/// Errors: one sentence, with the file.
[[nodiscard]] Result<TlsContext, NodeFilesFault> tls_of(const NodeIdentity& identity);

/// An authority and a certificate for each node, for a run on one machine; valid for some days.
/// Errors: one sentence, with the file.
[[nodiscard]] std::optional<NodeFilesFault> make_certificates(const RunConfig& config,
                                                              const std::filesystem::path& folder);

}  // namespace esper
