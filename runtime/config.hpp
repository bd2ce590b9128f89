#pragma once
// A run's configuration from JSON: every mistake found at once, each with its place and remedy.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "messages/logical_config.hpp"

namespace esper {

/// One thing wrong. Line and column count from 1; line 0: the mistake stands on the command line,
/// and `file` is that part of it, or the file can't be read.
struct ConfigMistake {
  std::string file;
  std::uint64_t line{}, column{};
  std::string key;  ///< dotted path, elements as [2]
  std::string problem;
  std::string nearest;  ///< the valid key that was probably meant; "" when none is near
  std::string remedy;

  static constexpr auto schema =
      record("ConfigMistake", field("file", &ConfigMistake::file),
             field("line", &ConfigMistake::line), field("column", &ConfigMistake::column),
             field("key", &ConfigMistake::key), field("problem", &ConfigMistake::problem),
             field("nearest", &ConfigMistake::nearest), field("remedy", &ConfigMistake::remedy));
};

struct ParsedConfig {
  RunConfig config;  ///< to be used only when `mistakes` is empty
  std::vector<ConfigMistake> mistakes;
};

/// `overrides` are "a.b=value", later ones win over the text and over earlier ones; a value that is
/// no JSON is taken as text. `file` names the text in mistakes. Reads the data folder's listing.
[[nodiscard]] ParsedConfig parse_config(std::string_view text, const std::string& file,
                                        const std::vector<std::string>& overrides = {});

/// The same, from a file; a file that can't be read is a mistake too.
[[nodiscard]] ParsedConfig load_config(const std::filesystem::path& file,
                                       const std::vector<std::string>& overrides = {});

/// "file:3:7: training.bath: unknown key; did you mean training.batch? …", one line.
[[nodiscard]] std::string sentence_of(const ConfigMistake& mistake);

/// Every key with the value that holds, for `config.json`; parses back to the same config.
[[nodiscard]] std::string effective_config(const RunConfig& config);

/// JSON Schema (draft 2020-12) of a config file, from the field list and the rules.
[[nodiscard]] std::string json_schema();

/// Every key with type, default, range and meaning as Markdown tables, one per section, from the
/// same list: the second half of docs/config.md.
[[nodiscard]] std::string config_reference();

/// Valid key nearest to an unknown one, by edit distance, as a full path: a sister of the unknown
/// key, or a key of the same name elsewhere. "" when none is near.
[[nodiscard]] std::string nearest_key(std::string_view section, std::string_view unknown);

}  // namespace esper
