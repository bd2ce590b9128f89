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

struct BlueprintOptions {
  std::string host{"fashion_cnn"}, size{};  ///< size "": the host's first
  OutputFormat output{};
};

[[nodiscard]] ExitCode command_run(const RunOptions& options);
[[nodiscard]] ExitCode command_validate(const ConfigOptions& options);
[[nodiscard]] ExitCode command_schema();
[[nodiscard]] ExitCode command_keys();
[[nodiscard]] ExitCode command_plan(const ConfigOptions& options);
[[nodiscard]] ExitCode command_ledger(const std::filesystem::path& directory, OutputFormat output);
[[nodiscard]] ExitCode command_events(const EventOptions& options);
[[nodiscard]] ExitCode command_blueprints(const BlueprintOptions& options);

/// What `--version` prints.
[[nodiscard]] std::string version_text();
/// The version alone, "0.1.0".
[[nodiscard]] std::string_view version_number();

/// The config when neither it nor `others` has a mistake; else all mistakes are printed, in the
/// asked format.
[[nodiscard]] std::optional<RunConfig> config_or_mistakes(const ConfigOptions& options,
                                                          std::vector<ConfigMistake> others = {});

}  // namespace esper
