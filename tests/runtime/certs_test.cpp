// `esper certs`: what nodes meet each other with.
#include <catch2/catch.hpp>

#include "net/node_files.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

SCENARIO("certificates are made for named nodes, more of them later, and no key is printed",
         "[certs]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  const auto certs = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"certs", "made"});
    return Process{binary, arguments, folder};
  };
  auto first = certs({"a", "b", "--cluster", "demo"});
  REQUIRE(first.wait() == 0);
  CHECK(first.out() ==
        "made/authority.pem\nmade/a.pem\nmade/a-key.pem\nmade/b.pem\nmade/b-key.pem\n");
  const auto authority = file_text(folder / "made/authority.pem");
  REQUIRE(certs({"c"}).wait() == 0);
  CHECK(file_text(folder / "made/authority.pem") == authority);
  for (const std::string node : {"a", "b", "c"}) {
    const NodeFiles files{folder / ("made/" + node + ".pem"),
                          folder / ("made/" + node + "-key.pem"), folder / "made/authority.pem"};
    const auto tls = tls_context(files, node);
    INFO((tls ? "" : tls.refusal().sentence));
    CHECK(tls.has_value());
    CHECK_FALSE(tls_context(files, "another").has_value());
  }
  for (const char* name : {"", "A", "a-", "a.b", "authority", "a/../b"}) {
    auto refused = certs({name});
    INFO(name);
    CHECK(refused.wait() == 2);
    CHECK(refused.err().find("is no name of a node") != std::string::npos);
  }
}

}  // namespace esper
