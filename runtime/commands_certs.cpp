// `esper certs`: an authority for one cluster and a certificate for each of its nodes.
#include <iostream>

#include <nlohmann/json.hpp>

#include "net/certificates.hpp"
#include "runtime/commands.hpp"
#include "runtime/node_name.hpp"

namespace esper {

ExitCode command_certs(const CertsOptions& options) {
  for (const auto& node : options.nodes)
    if (!is_node_name(node)) {
      std::cerr << "\"" << node << "\" is no name of a node: " << node_name_rule << '\n';
      return ExitCode::usage;
    }
  const CertificateOrder order{options.folder, options.cluster,
                               static_cast<std::int32_t>(options.days)};
  if (const auto fault = make_authority(order)) {
    std::cerr << fault->sentence << '\n';
    return ExitCode::failed;
  }
  nlohmann::json nodes = nlohmann::json::array();
  for (const auto& node : options.nodes) {
    const auto made = make_node(order, node);
    if (!made) {
      std::cerr << made.refusal().sentence << '\n';
      return ExitCode::failed;
    }
    nodes.push_back({{"node", node},
                     {"certificate", made.value().certificate.string()},
                     {"key", made.value().key.string()}});
  }
  const auto authority = (options.folder / "authority.pem").string();
  if (options.output == OutputFormat::json) {
    std::cout << nlohmann::json{{"authority", authority}, {"nodes", nodes}}.dump(2) << '\n';
    return ExitCode::fine;
  }
  std::cout << authority << '\n';
  for (const auto& node : nodes)
    std::cout << node.at("certificate").get<std::string>() << '\n'
              << node.at("key").get<std::string>() << '\n';
  return ExitCode::fine;
}

}  // namespace esper
