#include "net/certificates.hpp"

#include <algorithm>
#include <memory>

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace esper {

namespace {

namespace fs = std::filesystem;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long version_3 = 2;
constexpr long seconds_a_day = 86'400;

NodeFilesFault fault(const fs::path& file, const std::string& why) {
  return {file.string() + " " + why};
}

/// Written whole, or not at all; a key is the owner's alone from its first byte on.
bool write(const fs::path& file, const Bio& text, mode_t mode) {
  const fs::path part = file.string() + ".part";
  char* bytes = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(text.get(), &bytes));
  std::error_code ignored;
  fs::remove(part, ignored);
  const int out = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (out < 0) return false;
  const bool written = ::write(out, bytes, size) == static_cast<ssize_t>(size);
  const bool closed = ::close(out) == 0;
  return written && closed && ::rename(part.c_str(), file.c_str()) == 0;
}

bool write_key(const fs::path& file, EVP_PKEY* key) {
  const Bio text(BIO_new(BIO_s_mem()), &BIO_free);
  return PEM_write_bio_PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
         write(file, text, S_IRUSR | S_IWUSR);
}

bool write_certificate(const fs::path& file, X509* certificate) {
  const Bio text(BIO_new(BIO_s_mem()), &BIO_free);
  return PEM_write_bio_X509(text.get(), certificate) == 1 &&
         write(file, text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
}

bool extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()), &X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1;
}

bool set_subject(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                    0) == 1;
}

/// Unsigned, valid from a minute ago: clocks differ.
Certificate draft(const std::string& name, EVP_PKEY* key, std::int32_t days) {
  Certificate certificate(X509_new(), &X509_free);
  const bool made =
      X509_set_version(certificate.get(), version_3) == 1 && set_serial(certificate.get()) &&
      set_subject(certificate.get(), name) && X509_set_pubkey(certificate.get(), key) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                      std::min(-60L, 2 * seconds_a_day * days)) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds_a_day * days) != nullptr;
  if (!made) certificate.reset();
  return certificate;
}

struct Authority {
  Certificate certificate{nullptr, &X509_free};
  Key key{nullptr, &EVP_PKEY_free};
};

fs::path authority_file(const CertificateOrder& order) { return order.folder / "authority.pem"; }
fs::path authority_key(const CertificateOrder& order) { return order.folder / "authority-key.pem"; }

Authority read_authority(const CertificateOrder& order) {
  Authority found;
  const Bio certificate(BIO_new_file(authority_file(order).c_str(), "r"), &BIO_free);
  const Bio key(BIO_new_file(authority_key(order).c_str(), "r"), &BIO_free);
  if (!certificate || !key) return found;
  found.certificate.reset(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  found.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  return found;
}

}  // namespace

std::optional<NodeFilesFault> make_authority(const CertificateOrder& order) {
  std::error_code error;
  if (fs::create_directories(order.folder, error))
    fs::permissions(order.folder, fs::perms::owner_all, error);
  if (error) return fault(order.folder, "can't be made: " + error.message());
  if (fs::exists(authority_file(order), error)) {
    const auto found = read_authority(order);
    if (found.certificate && found.key) return std::nullopt;
    return fault(authority_file(order), "or its key can't be read: name another folder");
  }
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const auto certificate = draft(order.cluster + " authority", key.get(), order.days);
  const bool signed_by_itself =
      key && certificate &&
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1 &&
      extend(certificate.get(), certificate.get(), NID_basic_constraints,
             "critical,CA:TRUE,pathlen:0") &&
      extend(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign") &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!signed_by_itself) return fault(authority_file(order), "can't be made: OpenSSL refused");
  if (!write_key(authority_key(order), key.get()) ||
      !write_certificate(authority_file(order), certificate.get()))
    return fault(authority_file(order), "can't be written");
  return std::nullopt;
}

Result<NodeFiles, NodeFilesFault> make_node(const CertificateOrder& order,
                                            const std::string& node) {
  NodeFiles files{order.folder / (node + ".pem"), order.folder / (node + "-key.pem"),
                  authority_file(order)};
  const auto authority = read_authority(order);
  if (!authority.certificate || !authority.key)
    return fault(authority_file(order), "or its key can't be read");
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const auto certificate = draft(node, key.get(), order.days);
  const bool signed_by_authority =
      key && certificate &&
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority.certificate.get())) ==
          1 &&
      extend(certificate.get(), authority.certificate.get(), NID_basic_constraints,
             "critical,CA:FALSE") &&
      extend(certificate.get(), authority.certificate.get(), NID_ext_key_usage,
             "serverAuth,clientAuth") &&
      extend(certificate.get(), authority.certificate.get(), NID_subject_alt_name, "DNS:" + node) &&
      X509_sign(certificate.get(), authority.key.get(), EVP_sha256()) > 0;
  if (!signed_by_authority) return fault(files.certificate, "can't be made: OpenSSL refused");
  if (!write_key(files.key, key.get()) || !write_certificate(files.certificate, certificate.get()))
    return fault(files.certificate, "can't be written");
  return files;
}

}  // namespace esper
