#include "gpu/fashion_data.hpp"

#include <rapidcheck.h>
#include "tests/gpu/catch.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <set>

#include <unistd.h>

#include <torch/types.h>

#include "gpu/isolation.hpp"
#include "gpu/vital_signs.hpp"
#include "messages/result.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/paths.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
namespace fs = std::filesystem;

namespace {

DataConfig small_config() {
  DataConfig config;
  config.gate_samples = 64;
  config.training_samples = 256;
  config.test_samples = 100;
  return config;
}

bool data_here() {
  if (fs::exists(DataConfig{}.path)) return true;
  cannot_run_here("no dataset-fashion-mnist at " + DataConfig{}.path);
  return false;
}

/// A folder with links to the real files, which a test may replace.
class LinkedFolder {
 public:
  LinkedFolder() : path_(fs::temp_directory_path() / ("esper-data-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    for (const auto& file : fs::directory_iterator(DataConfig{}.path))
      fs::create_symlink(file.path(), path_ / file.path().filename());
  }
  ~LinkedFolder() { fs::remove_all(path_); }
  LinkedFolder(const LinkedFolder&) = delete;
  LinkedFolder& operator=(const LinkedFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What the constructor says about a folder; "" when it is content.
std::string complaint(const std::string& folder) {
  DataConfig config = small_config();
  config.path = folder;
  try {
    const FashionData data(config, 32, 1);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

at::Tensor noise(std::vector<std::int64_t> shape) {
  static at::Generator stream = own_generator(test_seed(), "vital signs", 0);
  return torch::empty(shape).normal_(0, 1, stream);
}

}  // namespace

SCENARIO("data is split three ways and given out by seed", "[fashion_data]") {
  if (!data_here()) return;
  const std::uint64_t seed = test_seed();
  DataConfig config = small_config();
  FashionData data(config, 32, seed);
  CHECK(data.batches_per_epoch() == 8);
  CHECK(data.gate_size() == 64);
  CHECK_THROWS_AS(data.gate(65), InvariantViolation);
  CHECK(data.gate(64).inputs.sizes() == at::IntArrayRef({64, 1, 28, 28}));

  WHEN("a position is set again") {
    for (int i = 0; i < 11; ++i) (void)data.next();
    const DataPosition position = data.position();
    CHECK((position == DataPosition{1, 3}));
    const Batch first = data.next();
    (void)data.next();
    data.set_position(position);
    const Batch again = data.next();
    THEN("the same batch comes, to the bit") {
      CHECK(bits_equal(first.inputs, again.inputs));
      CHECK(bits_equal(first.targets, again.targets));
      CHECK(first.targets.min().item<std::int64_t>() >= 0);
      CHECK(first.targets.max().item<std::int64_t>() <= 9);
    }
  }
  WHEN("an epoch without augmentation is read twice") {
    config.augment = false;
    FashionData plain(config, 32, seed);
    const auto epoch = [&] {
      std::multiset<std::string> images;
      for (std::uint64_t i = 0; i < plain.batches_per_epoch(); ++i) {
        const Batch batch = plain.next();
        for (std::int64_t row = 0; row < 32; ++row)
          images.emplace(static_cast<const char*>(batch.inputs[row].const_data_ptr()),
                         28 * 28 * sizeof(float));
      }
      return images;
    };
    const at::Tensor first = plain.next().inputs;
    plain.set_position({});
    const auto one = epoch();
    const at::Tensor second = plain.next().inputs;
    plain.set_position({1, 0});
    const auto two = epoch();
    THEN("it holds the same images in another order, and none of the gate split") {
      CHECK(one == two);
      CHECK_FALSE(bits_equal(first, second));
      const Batch gate = plain.gate(64);
      for (std::int64_t row = 0; row < 64; ++row)
        CHECK_FALSE(one.contains({static_cast<const char*>(gate.inputs[row].const_data_ptr()),
                                  28 * 28 * sizeof(float)}));
    }
  }
  WHEN("another seed is given") {
    FashionData other(config, 32, seed + 1);
    CHECK_FALSE(bits_equal(other.gate(64).inputs, data.gate(64).inputs));
    CHECK_FALSE(bits_equal(other.next().inputs, data.next().inputs));
  }
  WHEN("the test split is read") {
    CHECK(data.read_test_split().targets.size(0) == 100);
    CHECK_THROWS_AS(data.read_test_split(), InvariantViolation);
  }
}

SCENARIO("missing and damaged data is told in one sentence", "[fashion_data]") {
  CHECK(complaint("/nowhere/at/all").find("/nowhere/at/all is not a folder; install") == 0);
  if (!data_here()) return;
  const LinkedFolder folder;
  const fs::path labels = folder.path() / "train-labels-idx1-ubyte.gz";
  const std::string whole = read_text(labels);
  CHECK(complaint(folder.path()).empty());
  fs::remove(labels);
  CHECK(complaint(folder.path()).find(labels.string() + " cannot be opened; install") == 0);
  for (const bool cut : {false, true}) {
    std::string bytes = whole;
    if (cut)
      bytes.resize(bytes.size() / 2);
    else
      bytes[bytes.size() / 2] ^= 1;
    std::ofstream(labels, std::ios::binary) << bytes;
    CHECK(complaint(folder.path()).find(labels.string() + " is damaged") == 0);
  }
  DataConfig greedy = small_config();
  greedy.training_samples = 60'000;
  CHECK_THROWS_WITH(FashionData(greedy, 32, 1), Catch::Contains("ask for fewer"));
}

SCENARIO("only the trainer's report reads the test split", "[fashion_data][tidy]") {
  std::vector<std::string> callers;
  std::vector<std::string> names_files;
  for (const char* layer : {"gpu", "actors", "runtime", "messages"})
    for (const auto& entry : fs::recursive_directory_iterator(source_directory() / layer)) {
      const std::string name = fs::relative(entry.path(), source_directory()).string();
      if (!name.ends_with(".cpp") && !name.ends_with(".hpp")) continue;
      const std::string text = read_text(entry.path());
      const bool offers =
          name.find("_data.") != std::string::npos || name.starts_with("gpu/seeded_splits.");
      if (!offers) {
        for (std::size_t at = text.find("read_test_split"); at != std::string::npos;
             at = text.find("read_test_split", at + 1))
          callers.push_back(name);
        if (text.find("t10k") != std::string::npos) names_files.push_back(name);
      }
    }
  CHECK(callers == std::vector<std::string>{"gpu/trainer_report.cpp"});
  // It looks whether the files are there, and opens none.
  CHECK(names_files == std::vector<std::string>{"runtime/config_checks.cpp"});
}

SCENARIO("sums and finite tests agree with the plain definitions", "[vital_signs]") {
  rc::check("sum of squares and finite test", [](const std::vector<float>& values) {
    double expected = 0;
    bool finite = true;
    for (const float value : values) {
      expected += static_cast<double>(value) * static_cast<double>(value);
      finite = finite && std::isfinite(value);
    }
    const auto count = static_cast<std::int64_t>(values.size());
    RC_ASSERT(all_finite(values.data(), count) == finite);
    const double sum = sum_of_squares(values.data(), count);
    if (finite && expected < 1e30) RC_ASSERT(std::abs(sum - expected) <= 1e-4 * expected);
    if (!finite) RC_ASSERT(!std::isfinite(sum));
  });
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()})
    for (const std::size_t at : {0U, 17U, 36U}) {
      std::vector<float> values(37, 1.0F);
      values[at] = bad;
      CHECK_FALSE(all_finite(values.data(), 37));
      CHECK_FALSE(std::isfinite(sum_of_squares(values.data(), 37)));
    }
  const at::Tensor grid = noise({6, 10});
  CHECK(root_mean_square(grid.slice(1, 0, 3)) ==
        Approx(grid.slice(1, 0, 3).square().mean().sqrt().item<double>()));
  CHECK(root_mean_square(torch::empty({0})) == 0);
}

SCENARIO("effective rank counts the directions in use", "[vital_signs]") {
  constexpr std::int64_t channels = 12;
  EffectiveRank rank(channels);
  CHECK(rank(torch::zeros({64, channels, 5, 5})) == 0);
  const at::Tensor same = noise({1, channels, 5, 5}).expand({63, channels, 5, 5});
  CHECK(rank(same) == 0);
  CHECK(rank(same + 1e-3 * noise({63, channels, 5, 5})) > 1);
  const at::Tensor line = noise({128, 1, 3, 3}) * noise({1, channels, 1, 1});
  CHECK(rank(line) == Approx(1).margin(1e-4));
  const at::Tensor white = noise({128, channels});
  CHECK(rank(white) > 10);
  CHECK(rank(white) <= channels + 1e-9);
  CHECK(rank(torch::full({8, channels, 2, 2}, NAN)) != rank(white));
  CHECK(std::isnan(rank(torch::full({8, channels, 2, 2}, NAN))));

  const at::Tensor deep = noise({128, channels, 4, 4}) * noise({1, channels, 1, 1});
  const at::Tensor pooled = deep.mean({2, 3}).to(torch::kFloat64);
  const at::Tensor centred = pooled - pooled.mean(0, true);
  const at::Tensor squares = at::linalg_svdvals(centred).square();
  const at::Tensor shares = squares / squares.sum();
  const double expected = std::exp(-(shares * shares.log()).sum().item<double>());
  CHECK(rank(deep) == Approx(expected).epsilon(1e-4));
  CHECK(rank(torch::cat({deep, noise({64, channels, 4, 4})})) == rank(deep));  // first 128 rows

  // Of sequences 8 stretches each: as if these were samples.
  EffectiveRank of_sequences(channels, 128, Layout::sequence);
  const at::Tensor stream = noise({16, 40, channels}) * noise({1, 1, channels});
  const at::Tensor stretches = stream.reshape({128, 5, channels}).transpose(1, 2).contiguous();
  CHECK(of_sequences(stream) == Approx(rank(stretches)).epsilon(1e-4));
  CHECK(of_sequences(noise({1, 1, channels}).expand({16, 40, channels})) == 0);
}
