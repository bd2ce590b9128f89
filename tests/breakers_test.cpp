// The page of breakers against the code, and no wait in an actor without an end.
#include <catch2/catch.hpp>

#include "tests/sources.hpp"

namespace {

using esper::read;
using esper::sources;

constexpr const char* breaker_itself = "actors/decisions/breaker.hpp";

bool is_ours(const std::string& path) {
  return esper::starts_with_any(path, {"actors/", "gpu/", "runtime/"}) && path != breaker_itself;
}

/// First and second column of the page's first table, without the code marks.
std::map<std::string, std::string> breakers_on_the_page() {
  const std::string page = read(esper::source_directory() / "docs/breakers.md");
  const std::regex row{R"(\n\| ([^|]+) \| `([^`|]+)` \|)"};
  const auto table = page.substr(0, page.find("\n## "));
  std::map<std::string, std::string> rows;
  for (std::sregex_iterator match{table.begin(), table.end(), row}, end; match != end; ++match) {
    std::string name = (*match)[1];
    std::erase(name, '`');
    rows[name] = (*match)[2];
  }
  return rows;
}

/// What a breaker is called where it is made, in words of the page.
std::string name_on_the_page(const std::string& argument) {
  if (argument.find("name_of(") != std::string::npos) return "a role's name";
  const auto begin = argument.find('"') + 1;
  const auto name = argument.substr(begin, argument.find('"', begin) - begin);
  return name.ends_with('.') ? name + "NAME" : name;
}

std::map<std::string, std::string> breakers_in(const std::string& path, const std::string& code) {
  const std::regex made{
      R"((?:\bBreaker(?:\s+\w+)?\s*[({]|\bemplace\()\s*([^,;()]*(?:\([^()]*\))?[^,;()]*),\s*\w*(?:Breaker|thrash_)[pP]olicy)"};
  std::map<std::string, std::string> found;
  for (std::sregex_iterator match{code.begin(), code.end(), made}, end; match != end; ++match)
    found[name_on_the_page((*match)[1])] = path;
  return found;
}

/// Calls that wait: for an answer, for a message.
std::vector<std::string> waits_in(const std::string& code) {
  const std::regex wait{
      R"((?:->|\.)\s*(?:template\s+)?(request|receive|receive_while|receive_for|await_all_other_actors_done)\s*\(|\binfinite\b)"};
  std::vector<std::string> found;
  for (std::sregex_iterator match{code.begin(), code.end(), wait}, end; match != end; ++match)
    found.push_back(match->str());
  return found;
}

}  // namespace

SCENARIO("the page of breakers lists every breaker of the code, and no other", "[tidy][breakers]") {
  std::map<std::string, std::string> in_code;
  for (const auto& [path, source] : sources()) {
    if (!is_ours(path)) continue;
    const auto found = breakers_in(path, source.code);
    // A form that the expression does not know would be missed in silence.
    INFO(path);
    const bool makes_one = std::ranges::any_of(
        std::vector<std::string>{"Breaker(", "Breaker{\"", "BreakerPolicy{."},
        [&](const std::string& form) { return source.code.find(form) != std::string::npos; });
    CHECK(makes_one == !found.empty());
    in_code.insert(found.begin(), found.end());
  }
  CHECK(in_code == breakers_on_the_page());
  CHECK(in_code.size() >= 5);
}

SCENARIO("no actor waits without an end", "[tidy][breakers]") {
  for (const auto& [path, source] : sources()) {
    // In front of the tree its owner may wait for it: runtime/ has its own deadlines, and asks no
    // actor anything.
    if (!path.starts_with("actors/")) {
      if (path.starts_with("runtime/") || path.starts_with("sim/") || path.starts_with("gpu/")) {
        INFO(path);
        CHECK(source.code.find("->request(") == std::string::npos);
        CHECK(source.code.find("caf::infinite") == std::string::npos);
      }
      continue;
    }
    INFO(path);
    const auto waits = waits_in(source.code);
    // The one place of requests, whose deadline is an argument; the stop, whose parts have
    // deadlines of their own, a farewell to other nodes among them; a kill that was asked for, with
    // its patience; and what nodes ask each other, within cluster.timeouts.request_ms.
    const std::map<std::string, std::size_t> known{{"actors/context.hpp", 1},
                                                   {"actors/control_plane.cpp", 4},
                                                   {"actors/narset_host.cpp", 1},
                                                   {"actors/narset_proxy.cpp", 1}};
    CHECK(waits.size() == (known.contains(path) ? known.at(path) : 0));
  }
  const auto& ask = sources().at("actors/context.hpp").code;
  CHECK(ask.find("request(whom, deadline,") != std::string::npos);
  const auto& kill = sources().at("actors/control_plane.cpp").code;
  CHECK(kill.find("request(parts_->supervisor, kill_patience,") != std::string::npos);
  for (const char* file : {"actors/narset_host.cpp", "actors/narset_proxy.cpp"})
    CHECK(sources().at(file).code.find("request_ms}") != std::string::npos);
  CHECK(waits_in("self->request(peer, caf::infinite, x)").size() == 2);
  CHECK(waits_in("self->template receive (x)").size() == 1);
}
