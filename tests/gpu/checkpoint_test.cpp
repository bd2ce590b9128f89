// Checkpoints on disk: what is read is what was written, or one sentence.
#include <csignal>
#include <fstream>

#include <sys/resource.h>

#include "actors/decisions/random.hpp"
#include "gpu/checkpoint_file.hpp"
#include "messages/json.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/scaffold_loop.hpp"
#include "tests/runtime/scratch_folder.hpp"

using namespace esper;
namespace fs = std::filesystem;
using enum CommandKind;

namespace {

struct Folder : ScratchFolder {
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(path()))
      all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }
};

SurvivingHistory history_of(TestLoop& loop) {
  SurvivingHistory history{
      .step = loop.session->step(), .reflex = Reflex(ReflexConfig{}), .structure = 1};
  for (int i = 0; i < 130; ++i) history.reflex.accept(1.0 / (i + 1));  // the ring goes round
  return history;
}

CheckpointContent cut(TestLoop& loop, std::uint64_t checkpoint = 1) {
  auto content =
      take_content(*loop.host, *loop.optimizer, loop.session->bed(), loop.data(), history_of(loop));
  content.manifest.place = {.checkpoint = checkpoint,
                            .window = loop.session->last_window(),
                            .tick = loop.session->tick(),
                            .step = loop.session->step(),
                            .run_seed = 5,
                            .journal_sequence = 17,
                            .journal_head = "c0ffee"};
  return content;
}

std::map<std::string, at::Tensor> by_name(const CheckpointContent& content) {
  std::map<std::string, at::Tensor> named;
  for (const auto& [name, tensor] : content.tensors) named.emplace(name, tensor);
  return named;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), {}};
}
void put_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// One of everything: a fossilised seed, a weaned scaffold, an isolated seed with its average.
void fill(ScaffoldLoop& loop) {
  loop.stabilised("norm", 0.5, 1e-3);
  loop.obeyed(freeze);
  loop.obeyed(wean);
  auto other = loop.command(germinate, 0, 0, 2, "growth");
  REQUIRE(loop.carry_out(other).refusal == CommandRefusal::none);
  loop.close_window();
  (void)loop.tick();
}

}  // namespace

SCENARIO("a checkpoint is read as it was written, bit for bit", "[checkpoint]") {
  ScaffoldLoop loop;
  fill(loop);
  const auto content = cut(loop, 12);
  const Folder folder;
  REQUIRE(write_checkpoint(folder.path() / "checkpoints", content) == "");
  const auto files = checkpoint_files(folder.path() / "checkpoints");
  REQUIRE(files.size() == 1);
  const auto read = read_checkpoint(files[0]);
  INFO(read.problem);
  REQUIRE(read.content);
  CHECK(canonical(read.content->manifest) == canonical(content.manifest));
  const auto written = by_name(content), found = by_name(*read.content);
  REQUIRE(found.size() == content.tensors.size());
  for (const auto& [name, tensor] : written) {
    INFO(name);
    REQUIRE(found.contains(name));
    CHECK(same_bits(found.at(name), tensor));
  }
  THEN("everything that stands is in it") {
    for (const auto& parameter : loop.host->module().named_parameters()) {
      CHECK(same_bits(found.at("host." + parameter.key()), parameter.value()));
      const auto& state = static_cast<torch::optim::AdamWParamState&>(
          *loop.optimizer->state().at(parameter.value().unsafeGetTensorImpl()));
      const std::string moments = "host_optimizer." + parameter.key();
      CHECK(same_bits(found.at(moments + ".first"), state.exp_avg()));
      CHECK(same_bits(found.at(moments + ".second"), state.exp_avg_sq()));
      CHECK(found.at(moments + ".step").item<std::int64_t>() == state.step());
    }
    CHECK(
        same_bits(found.at("generator.global"), at::detail::getDefaultCPUGenerator().get_state()));
    CHECK(same_bits(found.at("generator.loop.0"), loop.order.get_state()));
    for (const std::uint64_t seed : {1, 2}) {
      const std::string id = std::to_string(seed);
      CHECK(
          same_bits(found.at("generator.seed." + id), loop.live(seed).seed->generator.get_state()));
      const auto& module = *loop.live(seed).seed->modules.back();
      const std::string member = id + "." + std::to_string(loop.live(seed).slots.size() - 1) + ".";
      for (const auto& parameter : module.named_parameters())
        CHECK(same_bits(found.at("seed." + member + parameter.key()), parameter.value()));
      for (const auto& buffer : module.named_buffers())
        CHECK(same_bits(found.at("seed." + member + buffer.key()), buffer.value()));
    }
    CHECK(same_bits(found.at("average.2.0"), loop.live(2).average.tensors().at(0)));
    CHECK(found.contains("lesson.1.teacher.host.stem.weight"));
    CHECK(found.contains("lesson.1.teacher.seed.1.0.norm0.weight"));
    CHECK(found.contains("lesson.1.anchor.host.plain0.weight"));
    // A weaning begun is its own seed's: that seed may still be rolled back.
    CHECK(found.contains("hot.1.host.stem.weight"));
    CHECK(found.contains("hot.1.host_optimizer.stem.weight.first"));
    CHECK(found.contains("hot.1.generator.global"));
    const auto& manifest = read.content->manifest;
    CHECK(manifest.place.checkpoint == 12);
    CHECK(manifest.place.journal_head == "c0ffee");
    CHECK(manifest.position == std::vector<std::uint64_t>{loop.drawn});
    REQUIRE(manifest.seeds.size() == 2);
    CHECK(manifest.seeds[0].frozen);
    CHECK(manifest.seeds[0].stage == Stage::weaning);
    CHECK(manifest.seeds[0].ramp.alpha == loop.live().seed->alpha);
    CHECK(manifest.threads == 1);
  }
  THEN("training may go on: the copy stays as it was") {
    loop.run(3);
    const auto again = by_name(content);
    for (const auto& [name, tensor] : found) CHECK(same_bits(again.at(name), tensor));
  }
}

SCENARIO("a damaged checkpoint is refused, whichever byte it is", "[checkpoint]") {
  TestLoop loop;
  loop.run(3);
  const Folder folder;
  REQUIRE(write_checkpoint(folder.path(), cut(loop)) == "");
  const auto file = checkpoint_files(folder.path()).at(0);
  const std::string whole = bytes_of(file);
  const auto header = static_cast<unsigned char>(whole[0]) +
                      256U * static_cast<unsigned char>(whole[1]) +
                      65'536U * static_cast<unsigned char>(whole[2]);
  REQUIRE(header < whole.size());
  CHECK(header % 8 == 0);
  const auto refused = [&](const std::string& bytes) {
    put_bytes(file, bytes);
    const auto read = read_checkpoint(file);
    return !read.content && read.problem.starts_with(file.string() + " ");
  };
  CHECK_FALSE(refused(whole));
  // Each byte of the length, and others at random: most fall on header and tensors alike.
  RandomStream draw(test_seed(), "flipped");
  std::vector<std::size_t> places{0, 1, 2, 3,          4,          5,
                                  6, 7, 8, header + 7, header + 8, whole.size() - 1};
  for (int i = 0; i < 200; ++i) {
    places.push_back(8 + draw.below(header));
    places.push_back(draw.below(whole.size()));
  }
  for (const std::size_t place : places) {
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ (1 << draw.below(8)));
    INFO("byte " << place << " of " << whole.size() << ", header " << header);
    CHECK(refused(flipped));
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{header},
                                   std::size_t{header + 8}, whole.size() - 1})
    CHECK(refused(whole.substr(0, length)));
  CHECK(refused(whole + "x"));
  // Spaces behind the header that no parser would mind.
  std::string padded = whole;
  padded.insert(8 + header, 8, ' ');
  for (std::size_t i = 0; i < 4; ++i) padded[i] = static_cast<char>((header + 8) >> (8 * i));
  CHECK(refused(padded));
  const auto other = whole.find(R"("version":"2")");
  REQUIRE(other != std::string::npos);
  std::string newer = whole;
  newer[other + 11] = '3';
  put_bytes(file, newer);
  CHECK(read_checkpoint(file).problem.find("version 3, not 2") != std::string::npos);
  CHECK(read_checkpoint(folder.path() / "nothing").problem.find("cannot be opened") !=
        std::string::npos);
}

SCENARIO("the newest are kept, and what a crash left is removed", "[checkpoint]") {
  TestLoop loop;
  loop.run(3);
  const Folder folder;
  put_bytes(folder.path() / "checkpoint-00000009.safetensors.part", "half of");
  put_bytes(folder.path() / "notes.txt", "not ours");
  CheckpointWriter writer(folder.path(), 3);
  CHECK(folder.names() == std::vector<std::string>{"notes.txt"});
  for (std::uint64_t checkpoint = 8; checkpoint <= 12; ++checkpoint) {
    writer.write(job_of(cut(loop, checkpoint)));
    writer.finish();
    CHECK(writer.written() == checkpoint);
  }
  CHECK(folder.names() == std::vector<std::string>{"checkpoint-00000010.safetensors",
                                                   "checkpoint-00000011.safetensors",
                                                   "checkpoint-00000012.safetensors", "notes.txt"});
  CHECK(writer.failures() == 0);
  CHECK(writer.problem().empty());
}

SCENARIO("while the disk is busy only the newest waits, and the last is written",
         "[checkpoint][TRAIN-1]") {
  TestLoop loop;
  loop.run(3);
  const Folder folder;
  std::uint64_t replaced = 0;
  {
    CheckpointWriter writer(folder.path(), 100);
    for (std::uint64_t checkpoint = 1; checkpoint <= 50; ++checkpoint)
      writer.write(job_of(cut(loop, checkpoint)));
    writer.finish();
    CHECK(writer.written() == 50);
    replaced = writer.replaced();
    writer.write(job_of(cut(loop, 51)));
  }
  const auto files = checkpoint_files(folder.path());
  CHECK(files.size() + replaced == 51);
  CHECK(files.back().filename() == "checkpoint-00000051.safetensors");
  for (const auto& file : files) CHECK(read_checkpoint(file).problem.empty());
}

SCENARIO("a disk that fails is counted, and training goes on", "[checkpoint][TRAIN-1]") {
  TestLoop loop;
  loop.run(3);
  const Folder folder;
  GIVEN("a folder that cannot be made: its name is a file's") {
    put_bytes(folder.path() / "taken", "");
    CheckpointWriter writer(folder.path() / "taken" / "checkpoints", 3);
    for (std::uint64_t checkpoint = 1; checkpoint <= 2; ++checkpoint) {
      writer.write(job_of(cut(loop, checkpoint)));
      writer.finish();
      CHECK(writer.failures() == checkpoint);
    }
    CHECK(writer.written() == 0);
    CHECK(writer.problem().find("taken") != std::string::npos);
    WHEN("it can be made again") {
      fs::remove(folder.path() / "taken");
      writer.write(job_of(cut(loop, 3)));
      writer.finish();
      CHECK(writer.failures() == 0);
      CHECK(writer.written() == 3);
    }
  }
  GIVEN("a disk that takes only a part of the file") {
    REQUIRE(write_checkpoint(folder.path(), cut(loop, 1)) == "");
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{.rlim_cur = 10'000, .rlim_max = before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto problem = write_checkpoint(folder.path(), cut(loop, 2));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(problem.find("cannot write") != std::string::npos);
    CHECK(folder.names() == std::vector<std::string>{"checkpoint-00000001.safetensors"});
    CHECK(read_checkpoint(checkpoint_files(folder.path()).at(0)).content);
  }
  CHECK(loop.tick().proceed());
}
