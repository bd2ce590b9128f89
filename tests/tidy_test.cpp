// Rules about the sources as a whole that no compiler checks: which way includes point, what
// decisions and kernels may use, and what the finished executable loads.

#include "tests/cannot_run.hpp"
#include "tests/paths.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  ///< from the repository's root
  std::string text;
  std::string code;                   ///< text without comments
  std::vector<std::string> ours;      ///< what it includes in quotes
  std::vector<std::string> packages;  ///< what it includes in angle brackets
};

bool starts_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

std::string read(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Blanks out comments, keeps line ends. Knows string and character literals, not raw strings.
std::string without_comments(const std::string& text) {
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

const std::vector<std::string> source_folders{"messages", "actors",   "gpu",  "runtime",
                                              "tests",    "examples", "bench"};

std::map<std::string, Source> read_sources() {
  static const std::regex include{R"re(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])re"};
  std::map<std::string, Source> sources;
  const fs::path root = esper::source_directory();
  for (const std::string& folder : source_folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".cu") continue;
      Source source{fs::relative(entry.path(), root), read(entry.path()), {}, {}, {}};
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

const std::map<std::string, Source>& sources() {
  static const auto all = read_sources();
  return all;
}

std::string layer_of(std::string_view path) {
  if (path.starts_with("actors/decisions/")) return "decisions";
  return std::string{path.substr(0, path.find('/'))};
}

/// Everything of ours that `path` includes, directly or not.
std::set<std::string> includes_of(const std::string& path) {
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

std::string line_of(const Source& source, std::ptrdiff_t offset) {
  const auto line = 1 + std::count(source.code.begin(), source.code.begin() + offset, '\n');
  return source.path + ":" + std::to_string(line);
}

/// `PATH:LINE` of each match of `pattern` in the code, comments left out.
void expect_absent(const Source& source, const std::regex& pattern, const std::string& why) {
  for (std::sregex_iterator match{source.code.begin(), source.code.end(), pattern}, end;
       match != end; ++match)
    FAIL_CHECK(line_of(source, match->position()) << ": '" << match->str() << "' " << why);
}

/// What the dynamic linker would load for `binary`, a line each; empty when it cannot tell.
std::string loaded_by(const std::string& binary) {
  const std::string command = "ldd '" + binary + "' 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  std::string output;
  for (int next = pipe ? std::fgetc(pipe.get()) : EOF; next != EOF; next = std::fgetc(pipe.get()))
    output += static_cast<char>(next);
  return output;
}

}  // namespace

SCENARIO("includes point one way", "[tidy]") {
  const std::map<std::string, std::set<std::string>> may_include{
      {"messages", {"messages"}},
      {"decisions", {"messages", "decisions"}},
      {"actors", {"messages", "decisions", "actors"}},
      {"gpu", {"messages", "decisions", "gpu"}},
      {"runtime", {"messages", "decisions", "actors", "runtime"}}};
  for (const auto& [path, source] : sources()) {
    for (const std::string& include : source.ours) {
      INFO(path << " includes " << include);
      CHECK(sources().contains(include));  // in quotes: ours, from the repository's root
      if (const auto allowed = may_include.find(layer_of(path)); allowed != may_include.end())
        CHECK(allowed->second.contains(layer_of(include)));
    }
  }
}

SCENARIO("actors know each other only through the interfaces", "[tidy]") {
  const std::set<std::string> roles{"tamiyo", "narset", "kasmina",  "elesh",    "emrakul",
                                    "urza",   "karn",   "tezzeret", "tolaria",  "urabrask",
                                    "simic",  "jace",   "oona",     "rehearsal"};
  for (const auto& [path, source] : sources()) {
    if (layer_of(path) != "actors") continue;
    for (const std::string& include : source.ours) {
      const std::string stem = fs::path{include}.stem();
      INFO(path << " includes " << include);
      const bool other_role = layer_of(include) == "actors" && roles.contains(stem) &&
                              !fs::path{path}.stem().string().starts_with(stem);
      CHECK_FALSE(other_role);
    }
  }
}

SCENARIO("decisions depend on nothing but their arguments", "[tidy]") {
  const std::vector<std::string> forbidden{
      "chrono",  "ctime",      "thread",    "mutex",         "atomic",        "random",
      "fstream", "filesystem", "future",    "unordered_map", "unordered_set", "iostream",
      "caf/",    "spdlog/",    "nlohmann/", "torch/",        "ATen/",         "c10/"};
  const std::regex libm{
      R"(\b(std::|::)(exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|sinh|cosh|tanh|asin|acos)"
      R"(|atan|atan2|cbrt|hypot|erf|erfc|tgamma|lgamma|fma|rand|time|getenv|\w+_distribution)"
      R"(|random_device|mt19937|mt19937_64)\b)"};
  for (const auto& [path, source] : sources()) {
    if (layer_of(path) != "decisions") continue;
    for (const std::string& include : source.packages) {
      INFO(path << " includes " << include);
      CHECK_FALSE(std::any_of(forbidden.begin(), forbidden.end(), [&](const std::string& name) {
        return name.ends_with('/') ? include.starts_with(name) : include == name;
      }));
    }
    const auto reached = includes_of(path);
    INFO(path << " reaches wire or json");
    CHECK_FALSE(reached.contains("messages/wire.hpp"));
    CHECK_FALSE(reached.contains("messages/json.hpp"));
    expect_absent(source, libm, "differs between machines or runs");
  }
}

SCENARIO("LibTorch stays inside gpu", "[tidy]") {
  const std::vector<std::string> torch{"torch/", "ATen/", "c10/"};
  for (const auto& [path, source] : sources()) {
    if (starts_with_any(path, {"gpu/", "tests/gpu/", "bench/"})) continue;
    for (const std::string& include : source.packages) {
      INFO(path << " includes " << include);
      CHECK_FALSE(starts_with_any(include, torch));
    }
  }
}

SCENARIO("gpu draws only from its own generators", "[tidy]") {
  // The global generator is one for all threads: a draw elsewhere would move the trainer's stream.
  const std::regex always_global{
      R"(\b(torch|at)::(dropout|feature_dropout|rand_like|randn_like)\()"};
  const std::regex draws{R"(\b(torch|at)::(rand|randn|randint|randperm|bernoulli|multinomial)\()"};
  const std::regex explicit_stream{R"([Gg]enerator|stream)"};
  for (const auto& [path, source] : sources()) {
    if (layer_of(path) != "gpu") continue;
    expect_absent(source, always_global, "takes no generator");
    for (std::sregex_iterator match{source.code.begin(), source.code.end(), draws}, end;
         match != end; ++match) {
      const auto begin = static_cast<std::size_t>(match->position());
      const std::string statement = source.code.substr(begin, source.code.find(';', begin) - begin);
      INFO(line_of(source, match->position()) << ": " << statement);
      CHECK(std::regex_search(statement, explicit_stream));
    }
  }
}

SCENARIO("files stay short", "[tidy]") {
  constexpr auto lines_max = 400;
  for (const auto& [path, source] : sources()) {
    INFO(path);
    CHECK(std::count(source.text.begin(), source.text.end(), '\n') <= lines_max);
  }
}

SCENARIO("every header is used", "[tidy]") {
  std::set<std::string> used;
  for (const auto& [path, source] : sources()) {
    for (const std::string& include : source.ours) {
      // A header that only its own source includes serves nobody.
      if (fs::path{include}.replace_extension() != fs::path{path}.replace_extension())
        used.insert(include);
    }
  }
  for (const auto& [path, source] : sources()) {
    if (!path.ends_with(".hpp") || starts_with_any(path, {"tests/", "examples/", "bench/"}))
      continue;
    INFO(path << " is included by nobody but its own source");
    CHECK(used.contains(path));
  }
}

SCENARIO("no file leads outside the repository", "[tidy]") {
  // Written in two pieces, or this file would break its own rule.
  const std::regex outside{std::string{R"((^|[^A-Za-z0-9_\-])sha)"} + "red/"};
  const std::set<std::string> skipped{".git", "build", "runs", "venv", ".cache"};
  for (auto entry = fs::recursive_directory_iterator{esper::source_directory()};
       entry != fs::recursive_directory_iterator{}; ++entry) {
    if (entry->is_directory()) {
      if (skipped.contains(entry->path().filename())) entry.disable_recursion_pending();
      continue;
    }
    constexpr std::uintmax_t text_bytes_max = 1'000'000;
    if (!entry->is_regular_file() || entry->file_size() > text_bytes_max) continue;
    std::ifstream file{entry->path()};
    INFO(entry->path().string());
    for (std::string line; std::getline(file, line);) {
      // std::regex recurses by line length; a cheap search decides whether to ask it.
      if (line.find(std::string{"sha"} + "red/") != std::string::npos)
        CHECK_FALSE(std::regex_search(line.substr(0, 2'000), outside));
    }
  }
}

SCENARIO("esper loads no LibTorch until a command trains", "[tidy][link_map]") {
  const std::string executable = (esper::binary_directory() / "esper").string();
  if (!fs::exists(executable)) {
    esper::cannot_run_here("no executable at " + executable);
    return;
  }
  const std::string loaded = loaded_by(executable);
  INFO(loaded);
  REQUIRE(loaded.find("libc.so") != std::string::npos);
  for (const char* library : {"libtorch", "libc10", "libesper_gpu", "libgomp"})
    CHECK(loaded.find(library) == std::string::npos);
}
