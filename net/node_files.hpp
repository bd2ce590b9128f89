#pragma once
// A node's certificate, key and authority on disk, and what TLS makes of them.
#include <filesystem>
#include <string>

#include <asio/ssl.hpp>

#include "messages/result.hpp"

namespace esper {

/// PEM files. The certificate names the node as a DNS name; the authority is the cluster's own, and
/// everything that it has signed is let as far as the handshake.
struct NodeFiles {
  std::filesystem::path certificate, key, authority;
};

struct NodeFilesFault {
  std::string sentence;  ///< with the file and the remedy; never a byte of the key
};

using TlsContext = std::shared_ptr<asio::ssl::context>;

/// For both sides of a connection: TLS 1.3, each shows a certificate of that authority. Errors: a
/// file that can't be read or holds nothing of its kind, a key that others can read, a key that is
/// not the certificate's, a certificate of another name, not yet or no longer valid.
[[nodiscard]] Result<TlsContext, NodeFilesFault> tls_context(const NodeFiles& files,
                                                             const std::string& node);

/// Is it the certificate of that node? By its subject's alternative names alone (RFC 6125, 6.4.4).
[[nodiscard]] bool certifies(X509* certificate, const std::string& node);

}  // namespace esper
