#pragma once
// A cluster's own authority and its nodes' certificates, for development and for one machine.
#include <filesystem>
#include <optional>
#include <string>

#include "net/node_files.hpp"

namespace esper {

struct CertificateOrder {
  std::filesystem::path folder;  ///< made if it isn't there, mode 0700
  std::string cluster;           ///< the authority's name, for people
  std::int32_t days{365};        ///< from now; below 0: expired, for tests
};

/// The authority's certificate and key (ECDSA, P-256) as authority.pem and authority-key.pem; what
/// is there is used on, so that nodes can be added. Errors: one sentence with the file.
[[nodiscard]] std::optional<NodeFilesFault> make_authority(const CertificateOrder& order);
/// NODE.pem and NODE-key.pem, signed by the folder's authority, for both sides of a connection.
[[nodiscard]] Result<NodeFiles, NodeFilesFault> make_node(const CertificateOrder& order,
                                                          const std::string& node);

}  // namespace esper
