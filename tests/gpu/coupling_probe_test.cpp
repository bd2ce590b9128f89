#include "gpu/coupling_probe.hpp"

#include "gpu/make_host.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/surgery_training.hpp"

using namespace esper;
using torch::Tensor;

namespace {

Tensor inputs(std::vector<std::int64_t> shape) {
  auto stream = own_generator(test_seed(), "inputs", 0);
  return torch::empty(shape).normal_(0, 1, stream);
}

/// What the probe says of a host whose first group's dimensions were changed.
std::string fault_of(const std::function<void(std::vector<CoupledDimension>&)>& change,
                     std::size_t group = 0) {
  torch::manual_seed(test_seed());
  SurgeryHost host;
  HostDescription description = host.description();
  change(description.coupled_groups[group].dimensions);
  host.describe(description);
  return coupling_fault(host, inputs({12, 1, 6, 6}), test_seed()).value_or("");
}

CoupledDimension& named(std::vector<CoupledDimension>& dimensions, const std::string& tensor,
                        std::uint32_t dimension) {
  return *std::find_if(dimensions.begin(), dimensions.end(), [&](const CoupledDimension& one) {
    return one.tensor == tensor && one.dimension == dimension;
  });
}

void forget(std::vector<CoupledDimension>& dimensions, const std::string& tensor,
            std::uint32_t dimension) {
  std::erase_if(dimensions, [&](const CoupledDimension& one) {
    return one.tensor == tensor && one.dimension == dimension;
  });
}

}  // namespace

SCENARIO("the probe finds every group of every host as it is described", "[coupling]") {
  at::set_num_threads(1);
  torch::manual_seed(test_seed());
  for (const char* size : {"tiny", "base", "deep", "melt"}) {
    INFO(size);
    const auto host = make_host("fashion_cnn", size, {}, /*dropout=*/0.1);
    CHECK(coupling_fault(*host, inputs({8, 1, 28, 28}), test_seed()).value_or("") == "");
  }
  CHECK(fault_of([](auto&) {}) == "");
}

SCENARIO("the probe leaves the copy and the streams as they were, and needs no live channel",
         "[coupling]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  training.plant(designs_to_cut()[2], 0, Stage::fossilised);
  training.plant(designs_to_cut()[4], 2, Stage::grafting, 0.5);
  training.steps(3);
  {
    const torch::NoGradGuard no_graph;  // dead throughout
    training.host->module().named_parameters()["norm0.weight"].zero_();
    training.host->module().named_parameters()["norm0.bias"].fill_(-1);
  }
  const auto before = training.digest();
  const auto images = inputs({12, 1, 6, 6});
  CHECK(coupling_fault(*training.host, images, test_seed()).value_or("") == "");
  CHECK(differing_tensors(training.digest(), before) == 0);
  CHECK(training.host->slot(1).description().channels == 8);
  CHECK(training.host->module().is_training());
  CHECK(coupling_fault(*training.host, "nobody", images, test_seed()).has_value());
}

SCENARIO("a wrong or missing coupling is refused by name", "[coupling]") {
  at::set_num_threads(1);
  const std::string unread = " reads its channels in dimension 1 but is not declared";
  const std::string unmade = " makes its channels in dimension 0 but is not declared";
  // A reader is missing: beside the skip, and behind it.
  CHECK(fault_of([](auto& all) { forget(all, "conv1.weight", 1); }) ==
        "group trunk: tensor conv1.weight" + unread);
  CHECK(fault_of([](auto& all) { forget(all, "conv2.weight", 1); }) ==
        "group trunk: tensor conv2.weight" + unread);
  // Something that makes channels is missing; of a whole layer that the skip adds, all is named.
  CHECK(fault_of([](auto& all) { forget(all, "norm1.bias", 0); }) ==
        "group trunk: tensor norm1.bias" + unmade);
  CHECK(fault_of([](auto& all) {
          for (const char* tensor : {"conv1.weight", "norm1.weight", "norm1.bias"})
            forget(all, tensor, 0);
        }) == "group trunk: tensor conv1.weight" + unmade + "; tensor norm1.bias" + unmade +
                  "; tensor norm1.weight" + unmade);
  CHECK(fault_of([](auto& all) { forget(all, "norm1.running_var", 0); }) ==
        "group trunk: tensor norm1.running_var" + unmade);
  // A wrong dimension of the same size, and a wrong stride.
  CHECK(fault_of([](auto& all) { named(all, "conv2.weight", 1).dimension = 0; }) ==
        "group trunk: tensor conv2.weight reads its channels in dimension 1, not in dimension 0");
  CHECK(fault_of([](auto& all) { named(all, "head.weight", 1).stride = 1; }, 1) ==
        "group top: tensor head.weight has not 8 entries in dimension 1");
  // A tensor too many.
  const std::string extra = " is declared but neither makes nor reads its channels in dimension ";
  CHECK(fault_of([](auto& all) {
          all.push_back({"norm2.weight", 0, 1});
        }) == "group trunk: tensor norm2.weight" + extra + "0");
  CHECK(fault_of(
            [](auto& all) {
              all.push_back({"conv1.weight", 1, 1});
            },
            1) == "group top: tensor conv1.weight" + extra + "1");
  CHECK(fault_of([](auto& all) {
          all.push_back({"norm2.running_mean", 0, 1});
        }) == "group trunk: tensor norm2.running_mean" + extra + "0");
  CHECK(fault_of([](auto& all) {
          all.push_back({"norm7.weight", 0, 1});
        }) == "group trunk: the host has no tensor norm7.weight");
}
