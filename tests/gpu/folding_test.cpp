// Folding is exact where the algebra holds, and leaves no trace where it does not.
#include "gpu/folding.hpp"

#include <rapidcheck.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "tests/gpu/catch.hpp"
#include "tests/gpu/scaffold_loop.hpp"

using namespace esper;
using torch::Tensor;

namespace {

constexpr std::uint32_t channels = 6;

struct Shape {
  bool bias{};           ///< of the convolution
  bool norm{};           ///< a batch norm right behind the slot
  bool described{true};  ///< the description names tensors in their order
  bool honest{true};     ///< false: the slot stands behind a ReLU that nobody tells of
  SlotKind kind{SlotKind::branch};
  std::int64_t kernel{3};
};

class FoldHost final : public HostModel {
 public:
  explicit FoldHost(Shape shape) : HostModel(described(shape)), shape_(shape) {
    convolution_ = root_->register_module(
        "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, channels, shape.kernel)
                                      .padding(shape.kernel / 2)
                                      .bias(shape.bias)));
    if (shape.norm) norm_ = root_->register_module("norm", torch::nn::BatchNorm2d(channels));
    head_ = root_->register_module("head", torch::nn::Linear(channels, 4));
  }
  torch::nn::Module& module() override { return *root_; }
  Tensor forward(Tensor images) override {
    Tensor made = convolution_(images);
    if (!shape_.honest) made = torch::relu(made);
    made = shape_.kind == SlotKind::branch ? slot(0)(made, images) : slot(0)(made);
    if (shape_.norm) made = norm_(made);
    return head_(torch::relu(made).mean({2, 3}));
  }

 private:
  static HostDescription described(const Shape& shape) {
    HostDescription host;
    host.name = "fold";
    host.regions = {{"all", {"conv.", "norm.", "head."}, 100, 100}};
    host.slots = {{"beside", {0}, shape.kind, "", channels, 5, 5, 10, "conv"}};
    if (shape.described) {
      host.tensors = {{"conv.weight", {channels, channels, 3, 3}, 25}};
      if (shape.bias) host.tensors.push_back({"conv.bias", {channels}, 0});
      if (shape.norm) {
        host.tensors.push_back({"norm.weight", {channels}, 25});
        host.tensors.push_back({"norm.bias", {channels}, 0});
      }
    }
    return host;
  }
  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("fold");
  Shape shape_;
  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::nn::Linear head_{nullptr};
};

/// A host with a frozen scaffold of random weights and statistics, on the graph at `alpha`.
struct Standing {
  Standing(Shape shape, BlueprintKind kind, double alpha, std::uint64_t draw)
      : stream(at::detail::createCPUGenerator(draw)), host(shape), bed(host) {
    const torch::NoGradGuard no_graph;
    for (const auto& tensor : host.module().parameters()) tensor.normal_(0, 0.5, stream);
    auto live = std::make_unique<LiveSeed>();
    live->seed = std::make_shared<Seed>(
        SeedId{1}, scaffold_design("scaffold", kind), std::vector<SlotId>{{0}},
        std::vector<SlotDescription>{host.description().slots[0]}, draw);
    live->parameters = live->seed->parameters();
    live->slots = {&host.slot(0)};
    live->stage = Stage::stabilising;
    live->set_alpha(alpha);
    host.slot(0).plant(live->seed, 0);
    host.slot(0).set_mode(SlotMode::attached);
    for (const auto& parameter : live->parameters) parameter.normal_(0, 1, stream);
    for (const auto& buffer : live->seed->buffers())
      if (buffer.is_floating_point()) buffer.normal_(0, 2, stream).abs_().add_(0.1);
    if (shape.norm)
      for (const auto& buffer : host.module().buffers())
        if (buffer.is_floating_point()) buffer.uniform_(0.5, 3, stream);
    live->seed->modules[0]->freeze();
    bed.seeds().push_back(std::move(live));
    const Tensor images = torch::randn({64, channels, 5, 5}, stream) * 3 + 1;
    data.gate_batch = [images](std::uint32_t samples) {
      return Batch{images.slice(0, 0, samples), {}};
    };
    data.batch_samples = 24;
  }
  [[nodiscard]] LiveSeed& live() { return *bed.seeds().front(); }
  [[nodiscard]] Tensor logits() {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still({&host.module()});
    return host.forward(data.gate_batch(64).inputs);
  }
  [[nodiscard]] Digest tensors() {
    Digest all;
    for (const auto& tensor : tensors_of(host.module())) all.push_back(tensor.detach().clone());
    return all;
  }
  [[nodiscard]] Folding fold(double change_max = 1e-5) {
    return fold_into_host(host, bed, live(), data, 64, change_max);
  }

  at::Generator stream;
  FoldHost host;
  SeedBed bed;
  SessionData data;
};

double relative(const Tensor& a, const Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

}  // namespace

SCENARIO("a folded host computes what it computed with its scaffold", "[scaffold][folding]") {
  at::set_num_threads(1);
  double worst = 0;
  const bool holds = rc::check("relative change at most 1e-5", [&] {
    Shape shape;
    shape.bias = *rc::gen::arbitrary<bool>();
    shape.norm = !shape.bias || *rc::gen::arbitrary<bool>();
    shape.kernel = *rc::gen::element(1, 3, 5);
    const auto kind = *rc::gen::element(BlueprintKind::normalisation, BlueprintKind::low_rank);
    const double alpha = *rc::gen::inRange(1, 101) / 100.0;
    const auto draw = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
    Standing standing(shape, kind, alpha, draw);
    const Tensor before = standing.logits();
    const auto weights = standing.tensors();
    const auto done = standing.fold();
    RC_LOG() << done.detail;
    RC_ASSERT(done.refusal == CommandRefusal::none);
    RC_ASSERT(standing.live().seed->alpha == 0.0);
    standing.host.slot(0).set_mode(SlotMode::isolated);
    const double change = relative(standing.logits(), before);
    worst = std::max(worst, change);
    RC_ASSERT(change <= 1e-5);
    RC_ASSERT(differing(weights, standing.tensors()) > 0U);
    // Only the centre tap of the convolution has moved.
    const auto moved = (standing.host.module().parameters()[0].detach() - weights[0]).abs();
    const auto centre = shape.kernel / 2;
    moved.select(3, centre).select(2, centre).zero_();
    RC_ASSERT(moved.sum().item<float>() == 0.0F);
  });
  CHECK(holds);
  WARN("largest relative change by folding: " << worst);
}

SCENARIO("what cannot be folded is refused and left bit for bit", "[scaffold][folding]") {
  at::set_num_threads(1);
  Shape shape;
  shape.bias = true;
  auto kind = BlueprintKind::normalisation;
  auto expected = CommandRefusal::not_foldable;
  WHEN("the slot lies between layers") { shape.kind = SlotKind::point; }
  WHEN("the function is not affine") { kind = BlueprintKind::squeeze_excitation; }
  WHEN("nothing takes the shift") { shape.bias = false; }
  WHEN("the description does not say what lies behind") {
    shape.bias = shape.described = false;
    shape.norm = true;
  }
  WHEN("the description lies: the output would change") {
    shape.honest = false;
    expected = CommandRefusal::output_changed;
  }
  Standing standing(shape, kind, 1, test_seed());
  const auto before = standing.tensors();
  const auto logits = standing.logits();
  const auto refused = standing.fold();
  INFO(refused.detail);
  CHECK(refused.refusal == expected);
  CHECK_FALSE(refused.detail.empty());
  CHECK(differing(before, standing.tensors()) == 0);
  CHECK(standing.live().seed->alpha == 1);
  CHECK(same_bits(logits, standing.logits()));
  CHECK((refused.output_change > 1e-3) == (expected == CommandRefusal::output_changed));
}

SCENARIO("weights that are not numbers are not folded into the host", "[scaffold][folding]") {
  Shape shape;
  shape.bias = true;
  Standing standing(shape, BlueprintKind::low_rank, 1, test_seed());
  const auto before = standing.tensors();
  {
    const torch::NoGradGuard no_graph;
    standing.live().parameters[0].fill_(std::numeric_limits<float>::quiet_NaN());
  }
  CHECK(standing.fold().refusal == CommandRefusal::output_changed);
  CHECK(differing(before, standing.tensors()) == 0);
}
