#include "gpu/text_data.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <torch/types.h>
#include <unistd.h>
#include <zlib.h>

#include "actors/decisions/random.hpp"
#include "gpu/text_file.hpp"
#include "messages/result.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t chunks = 101;

/// A file that is gone at the end of the block.
class TextFile {
 public:
  explicit TextFile(const std::string& bytes, bool zipped = false)
      : path_(fs::temp_directory_path() / ("esper-text-" + std::to_string(::getpid()))) {
    if (!zipped) {
      write(bytes);
      return;
    }
    const gzFile file = gzopen(path_.c_str(), "wb1");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
  }
  ~TextFile() { fs::remove(path_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  void write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] DataConfig config() const {
    DataConfig config;
    config.path = path_;
    config.gate_samples = 64;
    config.training_samples = 512;
    config.test_samples = 100;
    return config;
  }

 private:
  fs::path path_;
};

/// Every byte of a chunk is its number.
std::string numbered() {
  std::string text(chunks * TextData::chunk_bytes, '\0');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(i / TextData::chunk_bytes);
  return text;
}

std::string random_bytes() {
  RandomStream stream(test_seed(), "text");
  std::string text(chunks * TextData::chunk_bytes + 17, '\0');
  for (char& byte : text) byte = static_cast<char>(stream.below(256));
  return text;
}

std::set<std::int64_t> values_of(const Batch& batch) {
  std::set<std::int64_t> values;
  for (const auto& tensor : {batch.inputs, batch.targets})
    for (std::int64_t i = 0; i < tensor.numel(); ++i)
      values.insert(tensor.const_data_ptr<std::int64_t>()[i]);
  return values;
}

std::string complaint(const DataConfig& config) {
  try {
    const TextData data(config, 16, 1);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

SCENARIO("a text is split three ways by chunks", "[text_data]") {
  const TextFile file(numbered(), /*zipped=*/true);
  DataConfig config = file.config();
  config.training_samples = 0;
  config.gate_samples = 1'000;
  config.test_samples = 0;
  TextData data(config, 16, test_seed());
  CHECK(data.batches_per_epoch() == 97 * 511 / 16);
  std::set<std::int64_t> trained_on;
  for (std::uint64_t i = 0; i < data.batches_per_epoch(); ++i)
    trained_on.merge(values_of(data.next()));
  CHECK(trained_on.size() == 97);
  for (const std::int64_t held_back : {24, 49, 74, 99}) CHECK_FALSE(trained_on.contains(held_back));
  CHECK(values_of(data.gate(1'000)) == std::set<std::int64_t>{24, 74});
  const Batch test = data.read_test_split();
  CHECK(test.inputs.sizes() == at::IntArrayRef({2 * 511, 128}));
  CHECK(values_of(test) == std::set<std::int64_t>{49, 99});
  CHECK_THROWS_AS(data.read_test_split(), InvariantViolation);
  CHECK_THROWS_AS(data.gate(1'001), InvariantViolation);
}

SCENARIO("sequences follow from seed and position, and targets are the bytes that come next",
         "[text_data]") {
  const std::string text = random_bytes();
  const TextFile file(text);
  for (const bool augment : {false, true}) {
    DataConfig config = file.config();
    config.augment = augment;
    TextData data(config, 16, test_seed());
    TextData same(config, 16, test_seed());
    TextData other(config, 16, test_seed() + 1);
    for (int i = 0; i < 40; ++i) {  // past the first epoch's 32 batches
      const DataPosition before = data.position();
      const Batch batch = data.next();
      CHECK(bits_equal(batch.inputs.slice(1, 1), batch.targets.slice(1, 0, 127)));
      CHECK(bits_equal(batch.inputs, same.next().inputs));
      CHECK_FALSE(bits_equal(batch.inputs, other.next().inputs));
      std::string row;
      for (std::int64_t k = 0; k < 128; ++k)
        row.push_back(static_cast<char>(batch.inputs[3][k].item<std::int64_t>()));
      row.push_back(static_cast<char>(batch.targets[3][127].item<std::int64_t>()));
      const std::size_t at = text.find(row);
      REQUIRE(at != std::string::npos);
      CHECK(at / TextData::chunk_bytes == (at + 128) / TextData::chunk_bytes);
      if (i % 8 != 0) continue;
      same.set_position(before);
      CHECK(bits_equal(same.next().inputs, batch.inputs));
    }
    CHECK(bits_equal(data.gate(64).inputs, same.gate(64).inputs));
    CHECK_FALSE(bits_equal(data.gate(64).inputs, other.gate(64).inputs));
  }
}

SCENARIO("a text that is missing, damaged or too short is told in one sentence", "[text_data]") {
  DataConfig nowhere;
  nowhere.path = "/nowhere/at/all.gz";
  CHECK(complaint(nowhere).find("/nowhere/at/all.gz is not a file; install Debian's dict-gcide") ==
        0);
  const TextFile file(numbered(), /*zipped=*/true);
  CHECK(complaint(file.config()).empty());
  const std::string whole = file.bytes();
  file.write(whole.substr(0, whole.size() / 2));
  CHECK(complaint(file.config()).find(file.config().path + " cannot be unzipped; install") == 0);
  std::string damaged = whole;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  file.write(damaged);
  CHECK(complaint(file.config()).find(file.config().path + " cannot be unzipped; install") == 0);
  file.write("a short text");
  CHECK(complaint(file.config()).find("12 bytes of text: too few") != std::string::npos);
  file.write(numbered());
  DataConfig greedy = file.config();
  greedy.gate_samples = 2'000;
  CHECK(complaint(greedy).find("ask for fewer") != std::string::npos);
}

SCENARIO("the dictionary of Debian is a text", "[text_data]") {
  const std::string path = "/usr/share/dictd/gcide.dict.dz";
  if (!fs::exists(path)) return cannot_run_here("no dict-gcide at " + path);
  CHECK(read_text_file(path).size() == 39'952'321);
}
