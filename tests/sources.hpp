#pragma once
// The project's own sources, read once, for rules about all of them.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/paths.hpp"

namespace esper {

struct Source {
  std::string path;  ///< from the repository's root
  std::string text;
  std::string code;                   ///< text without comments
  std::vector<std::string> ours;      ///< what it includes in quotes
  std::vector<std::string> packages;  ///< what it includes in angle brackets
};

inline bool starts_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Blanks out comments, keeps line ends. Knows string and character literals, not raw strings.
inline std::string without_comments(const std::string& text) {
  std::string code;
  code.reserve(text.size());
  char quote = '\0';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char now = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (quote != '\0') {
      code += now;
      if (now == '\\' && next != '\0')
        code += text[++at];
      else if (now == quote || now == '\n')
        quote = '\0';
    } else if (now == '/' && next == '/') {
      while (at < text.size() && text[at] != '\n') ++at;
      code += '\n';
    } else if (now == '/' && next == '*') {
      for (at += 2; at + 1 < text.size() && !(text[at] == '*' && text[at + 1] == '/'); ++at) {
        if (text[at] == '\n') code += '\n';
      }
      ++at;
    } else {
      // A quote after a digit separates thousands.
      const bool separates = now == '\'' && !code.empty() && std::isxdigit(code.back()) != 0;
      if (now == '"' || (now == '\'' && !separates)) quote = now;
      code += now;
    }
  }
  return code;
}

inline const std::vector<std::string> source_folders{
    "messages", "actors", "gpu", "runtime", "sim", "net", "tests", "examples", "bench"};

inline std::map<std::string, Source> read_sources() {
  static const std::regex include{R"re(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])re"};
  std::map<std::string, Source> sources;
  const std::filesystem::path root = source_directory();
  for (const std::string& folder : source_folders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{root / folder}) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".cu") continue;
      Source source{std::filesystem::relative(entry.path(), root), read(entry.path()), {}, {}, {}};
      source.code = without_comments(source.text);
      for (std::size_t begin = 0; begin < source.code.size();) {
        const std::size_t end = std::min(source.code.find('\n', begin), source.code.size());
        const std::string line = source.code.substr(begin, end - begin);
        std::smatch found;
        if (line.find("include") != std::string::npos && std::regex_search(line, found, include))
          (found[1] == "\"" ? source.ours : source.packages).push_back(found[2]);
        begin = end + 1;
      }
      sources.emplace(source.path, std::move(source));
    }
  }
  return sources;
}

inline const std::map<std::string, Source>& sources() {
  static const auto all = read_sources();
  return all;
}

inline std::string layer_of(std::string_view path) {
  if (path.starts_with("actors/decisions/")) return "decisions";
  return std::string{path.substr(0, path.find('/'))};
}

/// Everything of ours that `path` includes, directly or not.
inline std::set<std::string> includes_of(const std::string& path) {
  std::set<std::string> seen;
  std::vector<std::string> open{path};
  while (!open.empty()) {
    const auto found = sources().find(open.back());
    open.pop_back();
    if (found == sources().end()) continue;
    for (const std::string& next : found->second.ours) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return seen;
}

}  // namespace esper
