// What an installation starts nodes with.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "tests/cannot_run.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/process.hpp"

namespace esper {

SCENARIO("the systemd unit is one that systemd takes", "[cluster]") {
  const std::filesystem::path analyze = "/usr/bin/systemd-analyze";
  if (!std::filesystem::exists(analyze))
    return cannot_run_here("systemd is not installed; scripts/setup --test installs it");
  const ScratchFolder folder;
  // It looks at whether the program is there.
  const auto unit = file_text(source_directory() / "examples/deploy/esper-node@.service");
  const auto place = unit.find("ExecStart=");
  REQUIRE(place != std::string::npos);
  const auto path = unit.substr(place + 10, unit.find(' ', place) - place - 10);
  const auto program = folder / "esper";
  write_text(program, "#!/bin/sh\n");
  ::chmod(program.c_str(), 0755);
  auto text = unit;
  text.replace(place + 10, path.size(), program.string());
  const auto verify = [&](const std::string& name, const std::string& content) {
    write_text(folder / name, content);
    Process process{analyze, {"verify", "--man=no", (folder / name).string()}, folder};
    const int code = process.wait();
    return std::pair{code, process.err()};
  };
  const auto [code, said] = verify("esper-node@c.service", text);
  INFO(said);
  CHECK(code == 0);
  CHECK(said.find("esper-node") == std::string::npos);
  CHECK(verify("broken@c.service", text + "\n[Service]\nExecStart=relative\n").first != 0);
}

}  // namespace esper
