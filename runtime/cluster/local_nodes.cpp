#include "runtime/cluster/local_nodes.hpp"

#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cstring>

#include "runtime/cluster/cluster_config.hpp"
#include "runtime/cluster/node_identity.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds ending_max{5'000};

/// The bytes of an IP address; "": of neither kind.
std::string bytes_of(const sockaddr* address) {
  if (address == nullptr) return "";
  if (address->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  if (address->sa_family != AF_INET6) return "";
  const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return {reinterpret_cast<const char*>(&v6), sizeof v6};
}

/// Does one of this machine's interfaces have it?
bool is_local(const std::string& name) {
  if (is_loopback(name)) return true;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, nullptr, &found) != 0) return false;
  ifaddrs* interfaces = nullptr;
  bool local = false;
  if (::getifaddrs(&interfaces) == 0) {
    for (const auto* address = found; address != nullptr; address = address->ai_next)
      for (const auto* own = interfaces; own != nullptr; own = own->ifa_next)
        local = local || (!bytes_of(own->ifa_addr).empty() &&
                          bytes_of(own->ifa_addr) == bytes_of(address->ai_addr));
    ::freeifaddrs(interfaces);
  }
  ::freeaddrinfo(found);
  return local;
}

}  // namespace

std::filesystem::path certificates_of(const RunConfig& config, const std::filesystem::path& run) {
  return config.cluster.certificates.empty() ? run / "certificates"
                                             : std::filesystem::path{config.cluster.certificates};
}

std::vector<NodeConfig> local_nodes(const RunConfig& config) {
  std::vector<NodeConfig> local;
  for (const auto& node : config.nodes)
    if (is_local(node.address)) local.push_back(node);
  return local;
}

std::vector<std::string> node_command(const std::filesystem::path& config, const std::string& node,
                                      const std::filesystem::path& run,
                                      const std::filesystem::path& certificates) {
  return {"node",  config.string(), "--name",         node,
          "--out", run.string(),    "--certificates", certificates.string()};
}

LocalNodes::LocalNodes(const RunConfig& config, const RunDirectory& directory) {
  const auto certificates = certificates_of(config, directory.path());
  if (config.cluster.certificates.empty()) {
    made_certificates_ = certificates;
    if (const auto fault = make_certificates(config, certificates))
      throw std::runtime_error(fault->sentence);
  }
  const auto& prime = prime_of(config)->name;
  for (const auto& node : local_nodes(config)) {
    if (node.name == prime) continue;
    const auto folder = node_folder(directory.path(), node.name);
    children_.push_back(
        start_child(node.name, node_command(directory.config(), node.name, folder, certificates),
                    folder / "output.txt", Bond::child));
  }
}

LocalNodes::~LocalNodes() {
  end_children(children_, ending_max);
  std::error_code ignored;
  if (!made_certificates_.empty()) std::filesystem::remove_all(made_certificates_, ignored);
}

}  // namespace esper
