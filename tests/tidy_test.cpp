// Rules about the sources as a whole that no compiler checks: which way includes point, what
// decisions and kernels may use, and what the finished executable loads.

#include "tests/cannot_run.hpp"
#include "tests/paths.hpp"
#include "tests/sources.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using esper::includes_of;
using esper::layer_of;
using esper::read;
using esper::Source;
using esper::sources;
using esper::starts_with_any;

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

/// What may differ between machines, libraries or runs: of numbers only + - * / and the square root
/// are the same everywhere.
const std::vector<std::regex>& unsteady() {
  static const std::string functions =
      "(exp|exp2|expm1|log|log2|log10|log1p|logb|pow|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|"
      "atan2|asinh|acosh|atanh|cbrt|hypot|erf|erfc|tgamma|lgamma|fma|fmod|remainder|floor|ceil|"
      "round|lround|llround|trunc|rint|lrint|nearbyint|frexp|ldexp|scalbn|modf|lerp|rand|srand|"
      "random|time|clock|getenv|shuffle|random_shuffle|sample|generate_canonical)[fl]?";
  static const std::vector<std::regex> all{
      std::regex{R"(\bstd\s*::\s*)" + functions + R"(\b)"},
      std::regex{R"((^|[^\w.:>]|[^\w:>]::\s*))" + functions + R"(\s*\()"},
      std::regex{R"(\b(\w+_distribution|\w+_engine|random_device|mt19937\w*|minstd_rand\w*)\b)"},
      std::regex{R"(\bunordered_(multi)?(map|set)\b|\bstd\s*::\s*hash\b)"},
      std::regex{R"(\bstd\s*::\s*(multi)?(map|set)\s*<[^,<>]*\*)"},  // ordered by address
      std::regex{R"(\blong\s+double\b|\bFP_CONTRACT\b|\bfast-math\b)"}};
  return all;
}

bool is_unsteady(const std::string& code) {
  return std::any_of(unsteady().begin(), unsteady().end(),
                     [&](const std::regex& pattern) { return std::regex_search(code, pattern); });
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
      {"net", {"messages", "net"}},
      {"runtime", {"messages", "decisions", "actors", "net", "runtime"}},
      {"sim", {"messages", "decisions", "actors", "runtime", "sim"}}};
  for (const auto& [path, source] : sources()) {
    for (const std::string& include : source.ours) {
      INFO(path << " includes " << include);
      CHECK(sources().contains(include));  // in quotes: ours, from the repository's root
      if (const auto allowed = may_include.find(layer_of(path)); allowed != may_include.end())
        CHECK((allowed->second.contains(layer_of(include)) ||
               (path == "runtime/main.cpp" && include == "sim/command.hpp")));
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
    for (const std::regex& pattern : unsteady())
      expect_absent(source, pattern, "differs between machines or runs");
  }
}

SCENARIO("the rule for decisions sees what it forbids", "[tidy]") {
  for (const char* code : {"x = std::exp(y);",
                           "x = exp(y);",
                           "x = ::exp(y);",
                           "return std :: log(y);",
                           "a*pow(b, 2)",
                           "std::pow",
                           "x = expf(y);",
                           "auto f = std::log1p;",
                           "-tanh (x)",
                           "(floor(x))",
                           "std::uniform_int_distribution<int> d;",
                           "uniform_real_distribution d;",
                           "std::normal_distribution<> d{0, 1};",
                           "std::mt19937_64 engine;",
                           "std::random_device{}()",
                           "std::default_random_engine e;",
                           "std::shuffle(begin(v), end(v), g);",
                           "std::rand()",
                           "for (auto& [k, v] : std::unordered_map<int, int>{})",
                           "std::unordered_set<Seed> seeds;",
                           "unordered_multimap<int, int> m;",
                           "std::map<Seed*, int> by_address;",
                           "std::set<const Plan *> plans;",
                           "std::hash<int>{}(3)",
                           "long double wide = 0;"}) {
    INFO(code);
    CHECK(is_unsteady(code));
  }
  for (const char* code :
       {"std::sqrt(x)", "stream.uniform()", "time.cycle_windows", "history.time(3)",
        "std::map<SeedId, Plan*> plans;", "std::set<SeedId> seeds;", "logical(part)", "seed.log(x)",
        "expected_gain(x)", "exponent(x)", "ceiling(x)", "plan->pow(2)", "Clock::time(x)"}) {
    INFO(code);
    CHECK_FALSE(is_unsteady(code));
  }
  const std::string toolchain = read(esper::source_directory() / "cmake/EsperToolchain.cmake");
  CHECK(toolchain.find("add_compile_options(-ffp-contract=off)") != std::string::npos);
  for (const char* loose : {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"})
    CHECK(toolchain.find(loose) == std::string::npos);
}

SCENARIO("LibTorch stays inside gpu and programs that train", "[tidy]") {
  const std::vector<std::string> torch{"torch/", "ATen/", "c10/"};
  for (const auto& [path, source] : sources()) {
    if (starts_with_any(path, {"gpu/", "tests/gpu/", "bench/", "examples/"})) continue;
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

SCENARIO("the page of invariants names tests and files that exist", "[tidy]") {
  std::set<std::string> known;
  const std::regex scenario{
      R"re((?:SCENARIO|TEST_CASE)\s*\(\s*"([^"]+)"\s*(?:,\s*"((?:\[[^"\]]+\])*)")?)re"};
  const std::regex tag{R"(\[[^\]]+\])"};
  for (const auto& [path, source] : sources()) {
    if (!path.starts_with("tests/")) continue;
    for (std::sregex_iterator test{source.text.begin(), source.text.end(), scenario}, end;
         test != end; ++test) {
      known.insert((*test)[1]);
      const std::string tags = (*test)[2];
      for (std::sregex_iterator one{tags.begin(), tags.end(), tag}; one != end; ++one)
        known.insert(one->str());
    }
  }
  REQUIRE(known.size() > 100);
  const std::string page = read(esper::source_directory() / "docs/invariants.md");
  const std::regex quoted{R"(`([^`\n]+)`)"};
  std::set<std::string> named;
  for (std::sregex_iterator match{page.begin(), page.end(), quoted}, end; match != end; ++match) {
    const std::string name = (*match)[1];
    INFO("docs/invariants.md names " << name);
    const bool is_path = name.find('/') != std::string::npos && name.find(' ') == std::string::npos;
    if (is_path)
      CHECK((sources().contains(name) || fs::exists(esper::source_directory() / name)));
    else
      CHECK(known.contains(name));
    if (!is_path) named.insert(name);
  }
  CHECK(named.size() > 20);
  for (const char* invariant :
       {"LEDGER-1", "LEDGER-2", "ISO-1", "IDENT-1", "ZONE-1", "THROTTLE-1", "FENCE-1", "COMMIT-1",
        "ESCAPE-1", "ROLL-1", "TRAIN-1", "ANSWER-1", "AUDIT-1"}) {
    INFO(invariant);
    CHECK(page.find(std::string{"| "} + invariant + " |") != std::string::npos);
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
