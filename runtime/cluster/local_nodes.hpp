#pragma once
// The processes of a run's nodes on this machine.
#include "messages/configuration.hpp"
#include "messages/json.hpp"
#include "messages/result.hpp"
#include "runtime/cluster/child_processes.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

/// As it stands in a run's directory, for `esper down`.
struct NodeProcess {
  std::string node;
  std::uint64_t process{};
  std::uint64_t start_ticks{};

  static constexpr auto schema = record("NodeProcess", field("node", &NodeProcess::node),
                                        field("process", &NodeProcess::process),
                                        field("start_ticks", &NodeProcess::start_ticks));
};

/// Where a node of this machine writes what is its own.
[[nodiscard]] inline std::filesystem::path node_folder(const std::filesystem::path& run,
                                                       const std::string& node) {
  return run / "nodes" / node;
}
/// Where the certificates are: the config's folder, or the run's own.
[[nodiscard]] std::filesystem::path certificates_of(const RunConfig& config,
                                                    const std::filesystem::path& run);

/// Nodes whose address is this machine's.
[[nodiscard]] std::vector<NodeConfig> local_nodes(const RunConfig& config);
/// The command that runs a node; `config`: the file.
[[nodiscard]] std::vector<std::string> node_command(const std::filesystem::path& config,
                                                    const std::string& node,
                                                    const std::filesystem::path& run,
                                                    const std::filesystem::path& certificates);

/// The other local nodes of a run whose prime is this process. Gone with it.
class LocalNodes {
 public:
  /// Makes the run's certificates where the config names none. Errors: throws std::runtime_error, a
  /// sentence.
  LocalNodes(const RunConfig& config, const RunDirectory& directory);
  /// Ends them; the run's own certificates and their keys go.
  ~LocalNodes();
  LocalNodes(const LocalNodes&) = delete;
  LocalNodes& operator=(const LocalNodes&) = delete;

 private:
  std::filesystem::path made_certificates_;  ///< empty: they are the user's
  std::vector<ChildProcess> children_;
};

}  // namespace esper
