#include "gpu/seed_slot.hpp"

#include "tests/gpu/catch.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/record_function.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "gpu/isolation.hpp"
#include "gpu/make_host.hpp"
#include "gpu/risk_assay.hpp"
#include "messages/result.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
using torch::Tensor;

namespace {

Blueprint plain_convolution() {
  Blueprint blueprint;
  blueprint.name = "plain_convolution";
  blueprint.kind = BlueprintKind::plain_convolution;
  blueprint.kernel = 3;
  return blueprint;
}

std::vector<Blueprint> every_blueprint() {
  auto all = built_in_blueprints();
  all.push_back(plain_convolution());
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    Blueprint other = all[i];
    other.birth = other.birth == Birth::zero ? Birth::random : Birth::zero;
    other.name += other.birth == Birth::zero ? " born at zero" : " born at random";
    all.push_back(other);
  }
  return all;
}

/// f given as a function; counts its calls.
struct Formula : SeedModule {
  explicit Formula(std::function<Tensor(const Tensor&)> function)
      : function_(std::move(function)) {}
  Tensor forward(Tensor input) override {
    ++calls;
    return function_(input);
  }
  int calls = 0;

 private:
  std::function<Tensor(const Tensor&)> function_;
};

ModuleBuilder formula(std::function<Tensor(const Tensor&)> function) {
  return [function](const Blueprint&, std::uint32_t, at::Generator&) {
    return std::make_shared<Formula>(function);
  };
}

SlotDescription description(std::uint32_t channels, std::uint32_t side = 7) {
  return {"slot", {}, SlotKind::point, "", channels, side, side, 0, "layer"};
}

std::shared_ptr<Seed> seed_of(const Blueprint& blueprint, std::uint32_t channels,
                              const ModuleBuilder& builder = build) {
  return std::make_shared<Seed>(SeedId{7}, blueprint, std::vector<SlotId>{{0}},
                                std::vector<SlotDescription>{description(channels)}, test_seed(),
                                builder);
}

Tensor noise(std::vector<std::int64_t> shape) {
  static at::Generator stream = own_generator(test_seed(), "test noise", 0);
  return torch::empty(shape).normal_(0, 1, stream);
}

/// Multiply-accumulates per sample of what really ran, from the operators that were called.
class OperationCounter {
 public:
  OperationCounter() {
    total() = 0;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&started, &ended)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~OperationCounter() { at::removeCallback(handle_); }
  OperationCounter(const OperationCounter&) = delete;
  OperationCounter& operator=(const OperationCounter&) = delete;
  static std::int64_t per_sample(std::int64_t batch) { return total() / batch; }

 private:
  static std::int64_t& total() {
    static std::int64_t sum = 0;
    return sum;
  }
  /// Multiply-accumulates per element of the operator's output.
  struct Called : at::ObserverContext {
    std::int64_t per_element = 0;
  };
  static std::unique_ptr<at::ObserverContext> started(const at::RecordFunction& function) {
    const std::string name = function.name();
    auto called = std::make_unique<Called>();
    if (name == "aten::convolution") {
      const Tensor weight = function.inputs()[1].toTensor();
      called->per_element = weight.numel() / weight.size(0);
    } else if (name == "aten::addmm") {
      called->per_element = function.inputs()[1].toTensor().size(1);
    } else if (name == "aten::mm") {
      called->per_element = function.inputs()[0].toTensor().size(1);
    } else if (name == "aten::scaled_dot_product_attention") {
      // Scores and mixture of a position with itself and all before it, on average.
      called->per_element = function.inputs()[0].toTensor().size(2) + 1;
    } else if (name == "aten::batch_norm" || name == "aten::layer_norm" ||
               (name == "aten::mul" && function.inputs()[1].isTensor())) {  // by a number: inside
      called->per_element = 1;
    }
    return called;
  }
  static void ended(const at::RecordFunction& function, at::ObserverContext* context) {
    const std::int64_t each = static_cast<Called*>(context)->per_element;
    if (each > 0) total() += each * function.outputs()[0].toTensor().numel();
  }
  at::CallbackHandle handle_{};
};

}  // namespace

/// Of 35 positions, in the kind's own layout.
std::vector<std::int64_t> shape_for(const Blueprint& blueprint, std::int64_t channels) {
  if (layout_of(blueprint.kind) == Layout::sequence) return {4, 35, channels};
  return {4, channels, 7, 5};
}

SCENARIO("every blueprint keeps the shape, costs what its formula says, and can learn at birth",
         "[blueprint_modules]") {
  for (const Blueprint& blueprint : every_blueprint())
    for (const std::uint32_t channels : {8U, 12U, 33U}) {
      INFO(blueprint.name << " on " << channels << " channels");
      at::Generator generator = own_generator(test_seed(), "module", channels);
      const auto module = build(blueprint, channels, generator);
      std::uint64_t parameters = 0;
      for (const Tensor& parameter : module->parameters())
        parameters += static_cast<std::uint64_t>(parameter.numel());
      CHECK(parameters == parameters_of(blueprint, channels));

      const auto shape = shape_for(blueprint, channels);
      const Tensor input = torch::relu(noise(shape));
      Tensor output;
      {
        const OperationCounter counter;
        output = module->forward(input);
        CHECK(static_cast<std::uint64_t>(OperationCounter::per_sample(4)) ==
              operations_of(blueprint, channels, 7, 5));
      }
      CHECK(output.sizes() == input.sizes());
      CHECK((output.abs().max().item<float>() == 0) == (blueprint.birth == Birth::zero));

      gradients_into((output * noise(shape)).sum(), module->parameters());
      double gradient = 0;
      for (const Tensor& parameter : module->parameters())
        if (parameter.grad().defined()) gradient += parameter.grad().abs().sum().item<double>();
      CHECK(gradient > 0);
      CHECK(std::isfinite(gradient));
    }
}

SCENARIO("IDENT-1: at alpha 0 a slot gives the host's own tensor", "[seed_slot][IDENT-1]") {
  const auto poison = formula([](const Tensor& h) { return h / 0.0 * 0.0; });
  const auto seed = seed_of(plain_convolution(), 3, poison);
  auto& module = static_cast<Formula&>(*seed->modules.front());
  Slot slot(description(3));
  Tensor host = noise({2, 3, 7, 7});
  host.index_put_({0}, -0.0);
  host.set_requires_grad(true);
  const Tensor before = host.detach().clone();
  const auto untouched = [&] {
    const Tensor passed = slot(host);
    CHECK(passed.unsafeGetTensorImpl() == host.unsafeGetTensorImpl());
    CHECK(bits_equal(passed, before));
    CHECK(module.calls == 0);
  };
  WHEN("the slot is dormant, observed or not") {
    untouched();
    slot.set_observing(true);
    untouched();
    CHECK(slot.host_output().is_same(host));
    CHECK_FALSE(slot.seed_output().defined());
    slot.forget();
    CHECK_FALSE(slot.host_output().defined());
  }
  WHEN("a seed that emits NaN is isolated, or blended or fossilised at 0") {
    slot.plant(seed, 0);
    for (const SlotMode mode : {SlotMode::isolated, SlotMode::blended, SlotMode::fossilised}) {
      slot.set_mode(mode);
      seed->alpha = mode == SlotMode::isolated ? 1 : 0;
      untouched();
    }
    const TrialScope absent({&slot}, {.alpha = 0});
    seed->alpha = 1;
    untouched();
  }
  WHEN("it is blended at any other alpha") {
    slot.plant(seed, 0);
    slot.set_mode(SlotMode::blended);
    seed->alpha = 0.25;
    CHECK(std::isnan(slot(host).sum().item<float>()));  // or the checks above could not fail
    CHECK(module.calls == 1);
  }
}

SCENARIO("a slot blends, and leaves the host its whole gradient", "[seed_slot]") {
  const auto twice = formula([](const Tensor& h) { return h * 2; });
  const auto seed = seed_of(plain_convolution(), 3, twice);
  Slot slot(description(3));
  slot.plant(seed, 0);
  const Tensor host = noise({2, 3, 7, 7}).set_requires_grad(true);
  const auto gradient = [&] {
    const Tensor h = host * 1;
    return torch::autograd::grad({slot(h).sum()}, {host}).front()[0][0][0][0].item<float>();
  };
  slot.set_mode(SlotMode::blended);
  seed->alpha = 1;
  CHECK(bits_equal(slot(host), host + host.detach() * 2));
  CHECK(gradient() == 1);  // f's path is detached
  seed->alpha = 0.25;
  CHECK(bits_equal(slot(host), host + (host.detach() * 2) * 0.25));
  CHECK(gradient() == 1);
  slot.set_mode(SlotMode::fossilised);
  seed->alpha = 1;
  CHECK(bits_equal(slot(host), host + host * 2));
  CHECK(gradient() == 3);
  CHECK_THROWS_AS(slot.plant(seed, 0), InvariantViolation);
  slot.clear();
  CHECK(slot(host).is_same(host));
}

SCENARIO("a branch slot reads its layer's input", "[seed_slot]") {
  const auto seed = seed_of(plain_convolution(), 3, formula([](const Tensor& x) { return x * 3; }));
  Slot slot(description(3));
  slot.plant(seed, 0);
  slot.set_mode(SlotMode::blended);
  seed->alpha = 0.5;
  const Tensor input = noise({2, 3, 7, 7});
  const Tensor output = noise({2, 3, 7, 7});
  CHECK(bits_equal(slot(output, input), output + (input * 3) * 0.5));
}

SCENARIO("an in-place write into observed activations is seen", "[seed_slot]") {
  Slot slot(description(3));
  slot.set_observing(true);
  Tensor host = noise({2, 3, 7, 7});
  Tensor passed = slot(host);
  CHECK(slot.intact());
  passed.relu_();
  CHECK_FALSE(slot.intact());
}

SCENARIO("a differentiated trial reaches every member of a group and nothing of the host",
         "[seed_slot]") {
  const auto host = make_host("fashion_cnn", "melt", {}, 0.1);
  std::vector<SlotId> ids;
  std::vector<SlotDescription> descriptions;
  std::vector<Slot*> slots;
  for (std::uint32_t i = 0; i < host->slots().size(); ++i)
    if (host->slot(i).description().group == "plain") {
      ids.push_back({i});
      descriptions.push_back(host->slot(i).description());
      slots.push_back(&host->slot(i));
    }
  REQUIRE(slots.size() == 12);
  auto blueprint = built_in_blueprints()[0];
  blueprint.birth = Birth::random;
  const auto seed = std::make_shared<Seed>(SeedId{3}, blueprint, ids, descriptions, test_seed());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i]->plant(seed, i);
  const Tensor images = noise({4, 1, 28, 28});
  Tensor alone;
  {
    torch::NoGradGuard guard;
    const EvaluationScope still({&host->module()});
    alone = host->forward(images);
  }
  {
    torch::NoGradGuard guard;
    const EvaluationScope still({&host->module()});
    const TrialScope trial(slots, {.alpha = 1, .differentiated = true});
    const Tensor logits = host->forward(images);
    gradients_into(logits.square().sum(), seed->parameters());
    CHECK_FALSE(bits_equal(logits, alone));
  }
  CHECK(at::GradMode::is_enabled());
  for (const Tensor& parameter : seed->parameters())
    CHECK(parameter.grad().abs().sum().item<float>() > 0);
  for (const Tensor& parameter : host->module().parameters())
    CHECK_FALSE(parameter.grad().defined());
  torch::NoGradGuard guard;
  const EvaluationScope still({&host->module()});
  CHECK(bits_equal(host->forward(images), alone));  // the trial is over
}

SCENARIO("the module is the host that its description says", "[fashion_cnn][byte_transformer]") {
  for (const std::string& name : host_names())
    for (const std::string& size : host_sizes(name))
      for (const bool widened_too : {false, true}) {
        INFO(name << " " << size);
        const bool of_bytes = name == "byte_transformer";
        const std::uint64_t asked =
            of_bytes ? describe_host(name, size)->parameters * 3 / 2 : 30'000;
        const auto widths = widened_too ? widened(name, size, asked) : std::vector<std::uint32_t>{};
        const auto host = make_host(name, size, widths, 0.1);
        const HostDescription& described = host->description();
        std::vector<std::string> names;
        std::uint64_t parameters = 0;
        for (const auto& parameter : host->module().named_parameters()) {
          names.push_back(parameter.key());
          parameters += static_cast<std::uint64_t>(parameter.value().numel());
        }
        CHECK(parameters == described.parameters);
        auto expected = parameter_names(host_layers(name, size, widths));
        std::sort(names.begin(), names.end());
        std::sort(expected.begin(), expected.end());
        CHECK(names == expected);

        for (Slot& slot : host->slots()) slot.set_observing(true);
        {
          const OperationCounter counter;
          torch::NoGradGuard guard;
          const EvaluationScope still({&host->module()});
          if (of_bytes)
            CHECK(host->forward(torch::zeros({2, 128}, torch::kInt64)).sizes() ==
                  at::IntArrayRef({2, 128, 256}));
          else
            CHECK(host->forward(noise({2, 1, 28, 28})).sizes() == at::IntArrayRef({2, 10}));
          CHECK(static_cast<std::uint64_t>(OperationCounter::per_sample(2)) ==
                described.operations);
        }
        for (Slot& slot : host->slots()) {
          const SlotDescription& place = slot.description();
          INFO(place.name);
          if (of_bytes)
            CHECK(slot.host_output().sizes() == at::IntArrayRef({2, place.height, place.channels}));
          else
            CHECK(slot.host_output().sizes() ==
                  at::IntArrayRef({2, place.channels, place.height, place.width}));
          CHECK(slot.seed_input().sizes() == slot.host_output().sizes());
        }
        std::size_t held = 0;
        for (std::uint32_t region = 0; region < described.regions.size(); ++region)
          held += host->region_parameters({region}).size();
        CHECK(held == names.size());

        std::map<std::string, Tensor> tensors;
        for (const auto& item : host->module().named_parameters())
          tensors[item.key()] = item.value();
        for (const auto& item : host->module().named_buffers()) tensors[item.key()] = item.value();
        for (const CoupledGroup& group : described.coupled_groups)
          for (const CoupledDimension& coupled : group.dimensions) {
            REQUIRE(tensors.contains(coupled.tensor));
            CHECK(tensors[coupled.tensor].size(coupled.dimension) ==
                  std::int64_t{group.channels} * coupled.stride);
          }
      }
  CHECK_THROWS_AS(make_host("fashion_cnn", "huge", {}, 0), std::runtime_error);
  CHECK_THROWS_AS(make_host("fashion_cnn", "tiny", {}, 0, {{"all", {"conv"}}}), std::runtime_error);
}

SCENARIO("a fossilised seed belongs to the host until it is released", "[host_model]") {
  const auto host = make_host("fashion_cnn", "tiny", {}, 0.1);
  const std::size_t before = host->module().parameters().size();
  const std::size_t early = host->region_parameters({0}).size();
  const Seed seed(SeedId{4}, built_in_blueprints()[2], {{0}}, {host->slot(0).description()},
                  test_seed());
  host->adopt(seed);
  CHECK(host->module().parameters().size() == before + seed.parameters().size());
  CHECK(host->region_parameters({0}).size() == early);
  host->module().eval();
  CHECK_FALSE(seed.modules.front()->is_training());
  host->release(seed);
  CHECK(host->module().parameters().size() == before);
}

SCENARIO("risk is measured on the module itself", "[risk_assay]") {
  const auto host = describe_host("fashion_cnn", "tiny").value();
  const SlotDescription& slot = host.slots[2];
  const std::uint64_t region = host.regions[slot.region.value].parameters;
  std::map<std::string, RiskSheet> sheets;
  const auto global = at::detail::getDefaultCPUGenerator().get_state();
  double worst = 0;
  const auto language = describe_host("byte_transformer", "lm-64").value();
  for (const Blueprint& blueprint : built_in_blueprints()) {
    const SlotDescription& place = fits(blueprint, slot) ? slot : language.slots[2];
    const RiskSheet sheet = assay(blueprint, {2}, place, region, test_seed());
    INFO(blueprint.name << ": risk " << sheet.risk);
    CHECK_FALSE(sheet.non_finite);
    CHECK_FALSE(sheet.quarantined);
    CHECK(sheet.risk >= 0.1);
    CHECK(sheet.parameters == parameters_of(blueprint, place.channels));
    CHECK(sheet.confidence >= 0.5);
    const RiskSheet again = assay(blueprint, {2}, place, region, test_seed());
    CHECK(again.risk == sheet.risk);
    CHECK(again.relative_norm == sheet.relative_norm);
    worst = std::max(worst, sheet.risk);
    sheets[blueprint.name] = sheet;
  }
  CHECK(bits_equal(global, at::detail::getDefaultCPUGenerator().get_state()));
  // The order that trials gave, of those far apart in it.
  CHECK(sheets["normalisation"].risk < sheets["depthwise_separable"].risk);
  CHECK(sheets["low_rank"].risk < sheets["bottleneck"].risk);

  const RiskSheet amplifier = assay(plain_convolution(), {2}, slot, region, test_seed(),
                                    formula([](const Tensor& h) { return h * 100; }));
  CHECK(amplifier.risk > worst);
  CHECK(amplifier.output_gain > 100);
  const RiskSheet divider =
      assay(plain_convolution(), {2}, slot, region, test_seed(), formula([](const Tensor& h) {
              return h / h.std(c10::IntArrayRef{0, 2, 3}, true, true);
            }));
  CHECK(divider.risk > worst);
  CHECK(divider.quarantined);
}
