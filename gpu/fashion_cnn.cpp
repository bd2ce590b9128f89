#include "gpu/fashion_cnn.hpp"

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>

#include "actors/decisions/fashion_shape.hpp"

namespace esper {
namespace {

using torch::Tensor;
using Widths = std::vector<std::uint32_t>;

constexpr std::int64_t classes = 10;

torch::nn::Conv2d convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t stride,
                              bool bias) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(inputs, outputs, 3).stride(stride).padding(1).bias(bias));
}

/// For each width convolution, batch norm and ReLU; two point slots after each but the first.
class NormedCnn : public HostModel {
 public:
  NormedCnn(HostDescription description, const Widths& widths, double dropout)
      : HostModel(std::move(description)),
        root_(std::make_shared<torch::nn::Module>("fashion_cnn")) {
    std::int64_t inputs = 1;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string number = std::to_string(i);
      convolutions_.push_back(root_->register_module(
          "conv" + number, convolution(inputs, widths[i], fashion_strides.at(i), false)));
      norms_.push_back(root_->register_module("norm" + number, torch::nn::BatchNorm2d(widths[i])));
      inputs = widths[i];
    }
    dropout_ = root_->register_module("dropout", torch::nn::Dropout(dropout));
    head_ = root_->register_module("head", torch::nn::Linear(inputs, classes));
  }

  torch::nn::Module& module() override { return *root_; }

  Tensor forward(Tensor images) override {
    Tensor activations = std::move(images);
    for (std::size_t i = 0; i < convolutions_.size(); ++i) {
      activations = torch::relu(norms_[i](convolutions_[i](activations)));
      if (i == 0) continue;
      activations = slot(2 * (i - 1))(std::move(activations));
      activations = slot(2 * (i - 1) + 1)(std::move(activations));
    }
    return head_(dropout_(activations.mean({2, 3})));
  }

 private:
  std::shared_ptr<torch::nn::Module> root_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::Linear head_{nullptr};
};

/// A stem and a deep region without norms: born with small weights, its signal melts away on the
/// way. The host that scaffolds are for.
class PlainCnn : public HostModel {
 public:
  PlainCnn(HostDescription description, std::int64_t width, double dropout)
      : HostModel(std::move(description)),
        root_(std::make_shared<torch::nn::Module>("fashion_cnn")) {
    constexpr std::size_t depth = 12;
    stem_ = root_->register_module("stem", convolution(1, width, 2, true));
    for (std::size_t i = 0; i < depth; ++i) {
      plain_.push_back(
          root_->register_module("plain" + std::to_string(i), convolution(width, width, 1, true)));
      torch::nn::init::kaiming_normal_(plain_.back()->weight, 0, torch::kFanIn, torch::kReLU);
      torch::NoGradGuard guard;
      plain_.back()->bias.zero_();
    }
    dropout_ = root_->register_module("dropout", torch::nn::Dropout(dropout));
    head_ = root_->register_module("head", torch::nn::Linear(width, classes));
  }

  torch::nn::Module& module() override { return *root_; }

  Tensor forward(Tensor images) override {
    std::size_t next = 0;
    Tensor activations = slot(next++)(torch::relu(stem_(images)));
    for (torch::nn::Conv2d& layer : plain_)
      activations = torch::relu(slot(next++)(layer(activations), activations));
    activations = slot(next++)(std::move(activations));
    const Tensor pooled = slot(next)(activations.mean({2, 3}, /*keepdim=*/true));
    return head_(dropout_(pooled.flatten(1)));
  }

 private:
  std::shared_ptr<torch::nn::Module> root_;
  torch::nn::Conv2d stem_{nullptr};
  std::vector<torch::nn::Conv2d> plain_;
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::Linear head_{nullptr};
};

}  // namespace

std::unique_ptr<HostModel> make_fashion_cnn(HostDescription description, const std::string& size,
                                            const std::vector<std::uint32_t>& widths,
                                            double dropout) {
  if (size == "melt")
    return std::make_unique<PlainCnn>(std::move(description), widths.front(), dropout);
  return std::make_unique<NormedCnn>(std::move(description), widths, dropout);
}

}  // namespace esper
