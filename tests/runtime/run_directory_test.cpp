#include "runtime/run_directory.hpp"

#include <catch2/catch.hpp>

#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// The working directory of one scope.
class WorkingDirectory {
 public:
  explicit WorkingDirectory(const fs::path& path) : before_(fs::current_path()) {
    fs::current_path(path);
  }
  ~WorkingDirectory() { fs::current_path(before_); }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

 private:
  fs::path before_;
};

RunConfig named(const std::string& name) {
  RunConfig config;
  config.name = name;
  return config;
}

}  // namespace

SCENARIO("each run has a directory of its own", "[run_directory]") {
  const ScratchFolder folder;
  const WorkingDirectory here{folder.path()};
  GIVEN("runs of one name") {
    auto first = RunDirectory::create(named("small"), "");
    auto second = RunDirectory::create(named("small"), "");
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first.value().path() == "runs/small-1");
    CHECK(second.value().path() == "runs/small-2");
    CHECK(file_text(first.value().config()).find("\"small\"") != std::string::npos);
  }
  GIVEN("a named directory") {
    fs::create_directory(folder / "empty");
    fs::create_directory(folder / "full");
    write_text(folder / "full" / "file", "text");
    write_text(folder / "file", "text");
    THEN("a new or an empty one is taken") {
      CHECK(RunDirectory::create(named("a"), folder / "new/deep").has_value());
      CHECK(RunDirectory::create(named("a"), folder / "empty").has_value());
    }
    THEN("any other is refused and left as it was") {
      for (const auto* name : {"full", "file"}) {
        const auto refused = RunDirectory::create(named("a"), folder / name);
        REQUIRE_FALSE(refused.has_value());
        CHECK_FALSE(refused.refusal().sentence.empty());
      }
      CHECK(std::distance(fs::directory_iterator{folder / "full"}, fs::directory_iterator{}) == 1);
    }
    THEN("where nothing can be written, nothing is left behind") {
      CHECK_FALSE(RunDirectory::create(named("a"), "/proc/esper").has_value());
      const auto too_long = folder / ("new/deep/" + std::string(300, 'x'));
      CHECK_FALSE(RunDirectory::create(named("a"), too_long).has_value());
      CHECK(RunDirectory::check(too_long).has_value());
      CHECK_FALSE(fs::exists(folder / "new"));
      CHECK_FALSE(RunDirectory::create(named(std::string(300, 'x')), "").has_value());
      CHECK_FALSE(fs::exists("runs"));
    }
    THEN("whether one could be made can be asked, and nothing is left of the question") {
      CHECK_FALSE(RunDirectory::check(folder / "new/deep").has_value());
      CHECK_FALSE(RunDirectory::check(folder / "empty").has_value());
      CHECK_FALSE(RunDirectory::check("").has_value());
      for (const auto* name : {"full", "file"}) CHECK(RunDirectory::check(folder / name));
      CHECK_FALSE(fs::exists(folder / "new"));
      CHECK_FALSE(fs::exists("runs"));
      CHECK(fs::is_empty(folder / "empty"));
    }
  }
  GIVEN("a directory in use") {
    auto used = RunDirectory::create(named("a"), folder / "run");
    REQUIRE(used.has_value());
    write_text(used.value().journal(), "");
    auto reader = RunDirectory::open(folder / "run");
    REQUIRE(reader.has_value());
    THEN("it says so until its owner is gone, and none may take it") {
      CHECK(reader.value().in_use());
      CHECK_FALSE(RunDirectory::create(named("a"), folder / "run").has_value());
      { const RunDirectory gone = std::move(used.value()); }
      CHECK_FALSE(reader.value().in_use());
    }
  }
  GIVEN("directories that hold no run") {
    CHECK_FALSE(RunDirectory::open(folder / "none").has_value());
    CHECK_FALSE(RunDirectory::open(folder.path()).has_value());
  }
}

SCENARIO("a file is replaced whole or not at all", "[run_directory]") {
  const ScratchFolder folder;
  CHECK(write_file(folder / "file", "first"));
  CHECK(write_file(folder / "file", "second"));
  CHECK(file_text(folder / "file") == "second");
  CHECK_FALSE(write_file(folder / "none/file", "text"));
  CHECK(std::distance(fs::directory_iterator{folder.path()}, fs::directory_iterator{}) == 1);
}

}  // namespace esper
