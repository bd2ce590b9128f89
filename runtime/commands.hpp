#pragma once
// The commands behind `esper`. Each prints data on `std::cout`, troubles on `std::cerr`, and
// returns how the process ends.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config.hpp"
#include "runtime/exit_code.hpp"

namespace esper {

enum class OutputFormat : std::uint8_t { text, json };
ESPER_ENUM_NAMES(OutputFormat, "text", "json");

struct ConfigOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;  ///< "a.b=c"
  OutputFormat output{};
};

struct RunOptions {
  ConfigOptions from;
  std::filesystem::path out;
  std::filesystem::path resume;  ///< a run's directory; empty: a new run
  std::optional<std::uint64_t> seed;
  std::uint32_t repeat{1};
  bool dry_run{};
};

struct EventOptions {
  std::filesystem::path directory;
  std::vector<std::string> kinds;  ///< empty: all
  std::string region;              ///< name or number; "": all
  std::string window;              ///< "7" or "3-9"; "": all
  OutputFormat output{};
};

struct ReplayOptions {
  std::vector<std::filesystem::path> directories;
  bool every_kind{};  ///< fails when a kind of decision stands in none of them
  OutputFormat output{};
};

struct TraceOptions {
  std::filesystem::path directory;
  std::string id;
  OutputFormat output{};
};

struct StatusOptions {
  std::filesystem::path directory;
  OutputFormat output{};
};

struct OverrideOptions {
  std::filesystem::path directory;
  std::string posture, grant, freeze, escape;  ///< one of them; grant: "REGION=THOUSANDTHS"
  std::optional<std::uint64_t> from, until;    ///< windows
  std::string why;
  std::uint32_t wait_ms{60'000};
  OutputFormat output{};
};

struct TopOptions {
  std::filesystem::path directory;
  std::uint32_t every_ms{1'000};
  bool once{};
};

struct BlueprintOptions {
  std::string host{"fashion_cnn"}, size{};  ///< size "": the host's first
  OutputFormat output{};
};

struct CertsOptions {
  std::filesystem::path folder;
  std::string cluster{"esper"};  ///< for people: the authority's name
  std::vector<std::string> nodes;
  std::uint32_t days{365};
  OutputFormat output{};
};

struct NodeOptions {
  ConfigOptions from;
  std::string name;
  std::filesystem::path out;           ///< its own directory; the prime's is the run's
  std::filesystem::path certificates;  ///< folder; empty: as the config says
};

struct UpOptions {
  ConfigOptions from;
  std::filesystem::path out;
};

struct DownOptions {
  std::filesystem::path directory;
  std::uint32_t wait_ms{30'000};
};

struct DrainOptions {
  std::filesystem::path directory;
  std::string node;
};

[[nodiscard]] ExitCode command_run(const RunOptions& options);
[[nodiscard]] ExitCode command_validate(const ConfigOptions& options);
[[nodiscard]] ExitCode command_schema();
[[nodiscard]] ExitCode command_keys();
[[nodiscard]] ExitCode command_plan(const ConfigOptions& options);
[[nodiscard]] ExitCode command_ledger(const std::filesystem::path& directory, OutputFormat output);
[[nodiscard]] ExitCode command_report(const std::filesystem::path& directory, OutputFormat output);
[[nodiscard]] ExitCode command_events(const EventOptions& options);
[[nodiscard]] ExitCode command_replay(const ReplayOptions& options);
[[nodiscard]] ExitCode command_trace(const TraceOptions& options);
[[nodiscard]] ExitCode command_status(const StatusOptions& options);
[[nodiscard]] ExitCode command_override(const OverrideOptions& options);
[[nodiscard]] ExitCode command_top(const TopOptions& options);
[[nodiscard]] ExitCode command_blueprints(const BlueprintOptions& options);
[[nodiscard]] ExitCode command_node(const NodeOptions& options);
[[nodiscard]] ExitCode command_up(const UpOptions& options);
[[nodiscard]] ExitCode command_down(const DownOptions& options);
[[nodiscard]] ExitCode command_drain(const DrainOptions& options);
[[nodiscard]] ExitCode command_certs(const CertsOptions& options);

/// What `--version` prints.
[[nodiscard]] std::string version_text();
/// The version alone, "0.1.0".
[[nodiscard]] std::string_view version_number();

/// The config when neither it nor `others` has a mistake; else all mistakes are printed, in the
/// asked format.
[[nodiscard]] std::optional<RunConfig> config_or_mistakes(const ConfigOptions& options,
                                                          std::vector<ConfigMistake> others = {});

}  // namespace esper
