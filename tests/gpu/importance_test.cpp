#include "gpu/importance.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "actors/decisions/random.hpp"
#include "gpu/fashion_data.hpp"
#include "gpu/make_host.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/surgery_training.hpp"

using namespace esper;
using torch::Tensor;

namespace {

using Numbers = std::vector<double>;

Tensor mean_loss(const Tensor& logits, const Tensor& labels) {
  return at::cross_entropy_loss(logits, labels);
}

double loss_of(HostModel& host, const Batch& batch) {
  const torch::NoGradGuard no_graph;
  return mean_loss(host.forward(batch.inputs), batch.targets).item<double>();
}

/// Ranks from 0; equal numbers share their mean rank.
Numbers ranks(const Numbers& numbers) {
  Numbers found;
  for (const double number : numbers) {
    double below = 0, equal = 0;
    for (const double other : numbers) {
      below += other < number ? 1 : 0;
      equal += other == number ? 1 : 0;
    }
    found.push_back(below + (equal - 1) / 2);
  }
  return found;
}

double rank_correlation(const Numbers& a, const Numbers& b) {
  const Numbers x = ranks(a), y = ranks(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;
  double products = 0, squares_x = 0, squares_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mean) * (y[i] - mean);
    squares_x += (x[i] - mean) * (x[i] - mean);
    squares_y += (y[i] - mean) * (y[i] - mean);
  }
  return squares_x * squares_y > 0 ? products / std::sqrt(squares_x * squares_y) : 0;
}

/// Loss without the channel, less the loss with it.
Numbers ablation(HostModel& host, SeedBed& bed, const CoupledGroup& group, const Batch& batch) {
  Snapshot snapshot;
  snapshot.take(tensors_of(host.module()), {}, {});
  const double whole = loss_of(host, batch);
  Numbers rises;
  for (std::uint32_t channel = 0; channel < group.channels; ++channel) {
    mask_channel(host, bed, group, channel);
    rises.push_back(loss_of(host, batch) - whole);
    snapshot.restore();
  }
  return rises;
}

/// L2 norm of the weights that make each channel.
Numbers magnitude(HostModel& host, SeedBed& bed, const CoupledGroup& group) {
  std::string problem;
  Numbers norms(group.channels, 0);
  for (const LiveDimension& dimension : live_dimensions(host, bed, group, problem))
    if (dimension.dimension == 0 && dimension.tensor.dim() > 1)
      for (std::uint32_t channel = 0; channel < group.channels; ++channel)
        norms[channel] += dimension.entries(channel).square().sum().item<double>();
  for (double& norm : norms) norm = std::sqrt(norm);
  return norms;
}

std::vector<Batch> in_batches(const Batch& whole, std::int64_t each) {
  std::vector<Batch> batches;
  for (std::int64_t begin = 0; begin < whole.inputs.size(0); begin += each)
    batches.push_back(
        {whole.inputs.slice(0, begin, begin + each), whole.targets.slice(0, begin, begin + each)});
  return batches;
}

}  // namespace

SCENARIO("importance is the squared slope of the loss along the channel's gate", "[importance]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  training.steps(100);
  ModelCopy copy([] { return std::make_unique<SurgeryHost>(); });
  copy.take(*training.host, training.bed);
  const auto [images, labels] = training.draw(64);
  const Batch batch{images, labels};
  const std::atomic<bool> stop{false};
  const auto report = measure(copy, {batch}, mean_loss, stop);
  REQUIRE(report.problem.empty());
  REQUIRE(report.groups.size() == 2);
  CHECK(report.samples == 64);
  CHECK(report.host.name == "surgery");
  // A gate on what the layers make, by hand: norms are followed by ReLU, sum and pooling alone. In
  // double precision, so that the step can be short enough to cross no corner of a ReLU.
  copy.host().module().to(torch::kDouble);
  const Batch precise{images.to(torch::kDouble), labels};
  const std::vector<std::vector<std::string>> norms{{"norm0", "norm1"}, {"norm2"}};
  for (std::size_t group = 0; group < 2; ++group) {
    Numbers slopes;
    const auto parameters = copy.host().module().named_parameters();
    for (std::uint32_t channel = 0; channel < 8; ++channel) {
      constexpr double step = 1e-5;
      const auto gated_loss = [&](double gate) {
        const torch::NoGradGuard no_graph;
        std::vector<Tensor> entries, kept;
        for (const auto& norm : norms[group])
          for (const char* name : {".weight", ".bias"})
            entries.push_back(parameters[norm + name].detach().narrow(0, channel, 1));
        for (const Tensor& entry : entries) {
          kept.push_back(entry.clone());
          entry.mul_(gate);
        }
        const double loss = loss_of(copy.host(), precise);
        for (std::size_t i = 0; i < entries.size(); ++i) entries[i].copy_(kept[i]);
        return loss;
      };
      slopes.push_back((gated_loss(1 + step) - gated_loss(1 - step)) / (2 * step));
    }
    double mean = 0;
    for (const double slope : slopes) mean += slope * slope / 8;
    const auto& importance = report.groups[group].importance;
    CHECK(std::accumulate(importance.begin(), importance.end(), 0.0) == Approx(8));
    for (std::size_t channel = 0; channel < 8; ++channel)
      CHECK(std::sqrt(importance[channel]) ==
            Approx(std::abs(slopes[channel]) / std::sqrt(mean)).epsilon(1e-3).margin(1e-3));
  }
  copy.host().module().to(torch::kFloat);
  // Activity: of a channel that is silent, 0.
  {
    const torch::NoGradGuard no_graph;
    auto parameters = copy.host().module().named_parameters();
    parameters["norm2.weight"][3].zero_();
    parameters["norm2.bias"][3].fill_(-1);
  }
  const auto silent = measure(copy, {batch}, mean_loss, stop).groups[1];
  CHECK(silent.activity[3] == 0);
  CHECK(silent.importance[3] == 0);
  CHECK(silent.activity[2] > 0);
}

SCENARIO("a measurement that is stopped or fails says so", "[importance]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  ModelCopy copy([] { return std::make_unique<SurgeryHost>(); });
  copy.take(*training.host, training.bed);
  const auto [images, labels] = training.draw(8);
  std::atomic<bool> stop{true};
  auto report = measure(copy, {{images, labels}}, mean_loss, stop);
  CHECK(report.problem == "stopped");
  CHECK(report.groups.empty());
  stop = false;
  report = measure(copy, {{torch::ones({8, 2, 6, 6}), labels}}, mean_loss, stop);
  CHECK_FALSE(report.problem.empty());
  report = measure(copy, {{images * std::nanf(""), labels}}, mean_loss, stop);
  CHECK(report.problem == "not finite in group trunk");
  CHECK(report.groups.empty());
  CHECK(measure(copy, {{images, labels}}, mean_loss, stop).problem.empty());
}

SCENARIO("importance ranks channels by what their loss costs, better than weights or chance do",
         "[importance]") {
  DataConfig config;
  if (!std::filesystem::exists(config.path)) return cannot_run_here("no data at " + config.path);
  at::set_num_threads(1);
  config.training_samples = 12'000;
  constexpr std::uint64_t seed = 7;  // a figure is printed: of one run
  FashionData data(config, 64, seed);
  torch::manual_seed(seed);
  const HostFactory factory = [] { return make_host("fashion_cnn", "tiny", {}, 0.1); };
  const auto host = factory();
  torch::optim::AdamW optimizer(host->module().parameters(), torch::optim::AdamWOptions(3e-3));
  for (int step = 0; step < 300; ++step) {
    const auto batch = data.next();
    optimizer.zero_grad();
    mean_loss(host->forward(batch.inputs), batch.targets).backward();
    optimizer.step();
  }
  ModelCopy copy(factory);
  SeedBed none(*host);
  copy.take(*host, none);
  const auto gate = data.gate(1'024);
  const Batch& whole = gate;
  const std::atomic<bool> stop{false};
  const auto report = measure(copy, in_batches(whole, 128), mean_loss, stop);
  REQUIRE(report.problem.empty());
  double taylor = 0, weights = 0, chance = 0;
  RandomStream random(seed, "chance");
  const auto& groups = copy.host().description().coupled_groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Numbers truth = ablation(copy.host(), copy.bed(), groups[i], whole);
    Numbers drawn;
    for (std::size_t channel = 0; channel < truth.size(); ++channel)
      drawn.push_back(random.uniform());
    const double own = rank_correlation(report.groups[i].importance, truth);
    const double by_weights =
        rank_correlation(magnitude(copy.host(), copy.bed(), groups[i]), truth);
    const double by_chance = rank_correlation(drawn, truth);
    std::cout << "rank correlation with ablation loss, " << groups[i].name << ": Taylor " << own
              << ", weights " << by_weights << ", random " << by_chance << "\n";
    taylor += own / static_cast<double>(groups.size());
    weights += by_weights / static_cast<double>(groups.size());
    chance += by_chance / static_cast<double>(groups.size());
  }
  std::cout << "mean over layers: Taylor " << taylor << ", weights " << weights << ", random "
            << chance << std::endl;
  CHECK(taylor > weights);
  CHECK(taylor > chance);
}
