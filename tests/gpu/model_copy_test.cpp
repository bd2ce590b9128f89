#include "gpu/model_copy.hpp"

#include <atomic>
#include <thread>

#include "gpu/importance.hpp"
#include "gpu/make_host.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/surgery_training.hpp"

using namespace esper;
using torch::Tensor;

namespace {

HostFactory surgery_hosts() {
  return [] { return std::make_unique<SurgeryHost>(); };
}

Tensor mean_loss(const Tensor& logits, const Tensor& labels) {
  return at::cross_entropy_loss(logits, labels);
}

/// The original in evaluation mode, seeds and all.
Tensor original_outputs(SurgeryTraining& training, const Tensor& images) {
  const torch::NoGradGuard no_graph;
  std::vector<torch::nn::Module*> modules{&training.host->module()};
  for (const auto& live : training.bed.seeds())
    for (auto* module : live->seed->module_pointers()) modules.push_back(module);
  const EvaluationScope still(modules);
  return training.host->forward(images);
}

}  // namespace

SCENARIO("a copy computes what its original does, whatever becomes of that", "[model_copy]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  const auto images = training.draw(24).first;
  const auto streams = [&] { return at::detail::getDefaultCPUGenerator().get_state(); };
  const auto before = streams();
  ModelCopy copy(surgery_hosts());
  CHECK_FALSE(copy.taken());
  const auto same = [&] {
    const auto stream = streams();
    copy.take(*training.host, training.bed);
    CHECK(bits_equal(stream, streams()));
    const torch::NoGradGuard no_graph;
    const auto outputs = copy.host().forward(images);
    CHECK(bits_equal(outputs, original_outputs(training, images)));
    return outputs;
  };
  CHECK(bits_equal(before, streams()));
  const auto designs = designs_to_cut();
  const auto first = same();
  training.steps(4);
  CHECK_FALSE(bits_equal(first, same()));

  auto dropping = designs[2];
  dropping.dropout = 0.3;
  auto& live = training.plant(dropping, 0, Stage::train_isolated);
  (void)same();
  CHECK(copy.bed().seeds().empty());
  live.slots.front()->set_mode(SlotMode::blended);
  live.stage = Stage::grafting;
  live.set_alpha(0);
  (void)same();
  CHECK(copy.bed().seeds().empty());
  live.set_alpha(0.5);
  const auto half = same();
  live.set_alpha(0.75);
  CHECK_FALSE(bits_equal(half, same()));
  CHECK(copy.bed().stage_of({0}) == Stage::grafting);
  live.set_alpha(1);
  training.fossilise(live);
  training.plant(designs[1], 2, Stage::fossilised);
  training.steps(3);
  (void)same();
  CHECK(tensors_of(copy.host().module()).size() == tensors_of(training.host->module()).size());

  WHEN("nothing but values has changed") {
    std::vector<const void*> memory;
    for (const auto& tensor : tensors_of(copy.host().module()))
      memory.push_back(tensor.const_data_ptr());
    training.steps(2);
    (void)same();
    std::vector<const void*> later;
    for (const auto& tensor : tensors_of(copy.host().module()))
      later.push_back(tensor.const_data_ptr());
    CHECK(memory == later);
  }
  WHEN("channels leave, and come back") {
    Snapshot snapshot;
    snapshot.take(tensors_of(training.host->module()), {&training.optimizer}, {});
    const Structure structure(*training.host, training.bed);
    const auto whole = same();
    REQUIRE(
        cut(*training.host, training.bed, training.optimizer, {{"trunk", {1}}, {"top", {0, 3, 7}}})
            .refusal == SurgeryRefusal::none);
    (void)same();
    CHECK(copy.host().description().parameters == training.host->description().parameters);
    CHECK(copy.host().slot(2).description().channels == 3);
    const auto parts = copy.host().module().named_modules();
    CHECK(parts["conv1"]->as<torch::nn::Conv2dImpl>()->options.out_channels() == 1);
    CHECK(parts["head"]->as<torch::nn::LinearImpl>()->options.in_features() == 27);
    training.plant(designs[3], 1, Stage::grafting);
    (void)same();
    training.bed.remove({2});
    snapshot.restore();
    structure.restore(*training.host, training.bed);
    CHECK(bits_equal(whole, same()));
  }
  WHEN("a fossil goes, as in a rollback") {
    training.host->release(*live.seed);
    training.bed.remove(live.seed->id);
    (void)same();
    CHECK(copy.bed().seeds().size() == 1);
    CHECK(copy.bed().stage_of({0}) == Stage::dormant);
  }
  WHEN("the copy is cut and taken anew") {
    REQUIRE(cut(copy.host(), copy.bed(), {{"trunk", {1, 2}}}).refusal == SurgeryRefusal::none);
    (void)same();
  }
}

SCENARIO("a seed of a group of slots is copied with all its modules", "[model_copy]") {
  at::set_num_threads(1);
  torch::manual_seed(test_seed());
  const HostFactory melts = [] { return make_host("fashion_cnn", "melt", {4}, 0.1); };
  const auto host = melts();
  SeedBed bed(*host);
  auto live = std::make_unique<LiveSeed>();
  const auto slots = bed.group_of({1});
  std::vector<SlotDescription> places;
  for (const SlotId slot : slots) places.push_back(host->description().slots[slot.value]);
  live->seed = std::make_shared<Seed>(SeedId{4}, designs_to_cut()[5], slots, places, test_seed());
  live->seed->alpha = 0.5;
  live->stage = Stage::grafting;
  for (std::size_t member = 0; member < slots.size(); ++member) {
    Slot& slot = host->slot(slots[member].value);
    slot.plant(live->seed, member);
    slot.set_mode(SlotMode::blended);
    live->slots.push_back(&slot);
  }
  auto* seed = live->seed.get();
  bed.seeds().push_back(std::move(live));
  ModelCopy copy(melts);
  copy.take(*host, bed);
  const torch::NoGradGuard no_graph;
  auto modules = seed->module_pointers();
  modules.push_back(&host->module());
  const EvaluationScope still(modules);
  auto stream = own_generator(test_seed(), "images", 0);
  const auto images = torch::empty({4, 1, 28, 28}).normal_(0, 1, stream);
  CHECK(bits_equal(copy.host().forward(images), host->forward(images)));
  CHECK(copy.bed().seeds().front()->slots.size() == 12);
}

SCENARIO("training beside a copy that another thread measures is training alone",
         "[model_copy][importance]") {
  at::set_num_threads(1);
  const auto train = [](bool watched) {
    SurgeryTraining training;
    training.plant(designs_to_cut()[2], 0, Stage::fossilised);
    const auto [images, labels] = training.draw(64);
    std::unique_ptr<ModelCopy> copy;
    if (watched) copy = std::make_unique<ModelCopy>(surgery_hosts());
    const std::atomic<bool> stop{false};
    for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
      std::thread elesh;
      ImportanceReport report;
      if (watched) {
        copy->take(*training.host, training.bed);
        elesh = std::thread([&] {
          at::set_num_threads(1);
          for (int times = 0; times < 5; ++times)
            report = measure(*copy, {{images, labels}, {images, labels}}, mean_loss, stop);
        });
      }
      training.steps(20);
      if (watched) {
        elesh.join();
        CHECK(report.problem.empty());
        CHECK(report.groups.size() == 2);
      }
    }
    return training.digest();
  };
  CHECK(differing_tensors(train(false), train(true)) == 0);
}
