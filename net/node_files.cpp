#include "net/node_files.hpp"

#include <memory>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace esper {

namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate read_certificate(const std::filesystem::path& file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "r"), &BIO_free);
  return {bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free};
}

/// Why the key file is not kept as a key is; "": it is.
std::string exposed(const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return "can't be read";
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return "can be read by other users: chmod 600 it, and make a new key if they could";
  return "";
}

std::string invalid_now(X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return "is not valid yet";
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    return "has expired: make a new one with `esper certs`";
  return "";
}

}  // namespace

bool certifies(X509* certificate, const std::string& node) {
  constexpr unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;
  return certificate != nullptr && !node.empty() &&
         X509_check_host(certificate, node.c_str(), node.size(), flags, nullptr) == 1;
}

Result<TlsContext, NodeFilesFault> tls_context(const NodeFiles& files, const std::string& node) {
  const auto fault = [](const std::filesystem::path& file, const std::string& why) {
    return NodeFilesFault{file.string() + " " + why};
  };
  const auto certificate = read_certificate(files.certificate);
  if (!certificate) return fault(files.certificate, "holds no certificate in PEM");
  if (const auto why = invalid_now(certificate.get()); !why.empty())
    return fault(files.certificate, why);
  if (!certifies(certificate.get(), node))
    return fault(files.certificate,
                 "is not of the node " + node + ": its DNS name must be " + node);
  const auto authority = read_certificate(files.authority);
  if (!authority) return fault(files.authority, "holds no certificate in PEM");
  if (const auto why = invalid_now(authority.get()); !why.empty())
    return fault(files.authority, why);
  if (const auto why = exposed(files.key); !why.empty()) return fault(files.key, why);

  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls);
  std::error_code error;
  context->use_certificate_chain_file(files.certificate.string(), error);
  if (error) return fault(files.certificate, "can't be used: " + error.message());
  context->use_private_key_file(files.key.string(), asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(context->native_handle()) != 1)
    return fault(files.key, "holds no private key of " + files.certificate.string());
  context->load_verify_file(files.authority.string(), error);
  if (error) return fault(files.authority, "can't be used: " + error.message());
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context->native_handle(), 0);  // each connection shows its certificate
  return context;
}

}  // namespace esper
