#include "gpu/window_telemetry.hpp"

#include <stdexcept>

#include "actors/decisions/number.hpp"
#include "gpu/window_statistics.hpp"

namespace esper {

namespace {

constexpr std::size_t calm_ranks_kept = 32;
constexpr std::int64_t rank_rows_max = 128;
/// Elements that an RMS is taken over, about. Whole channels over the whole batch: batch norm keeps
/// a channel's RMS almost still, so that what moves is the region, not the sample. (16 rows, or
/// blocks strewn over all, swayed by the whole jitter band.)
constexpr std::int64_t rms_elements_max = 1 << 17;

/// RMS over every n-th channel of a float32 tensor [batch, channels, …], or every n-th position of
/// one [batch, positions, channels].
double sampled_rms(const at::Tensor& tensor) {
  const std::int64_t count = tensor.numel();
  if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat || !tensor.is_contiguous() ||
      tensor.dim() < 3 || count <= rms_elements_max)
    return root_mean_square(tensor);
  const std::int64_t channels = tensor.size(1), plane = tensor.stride(1);
  const std::int64_t apart = std::min(channels, count / rms_elements_max + 1);
  const auto* values = tensor.const_data_ptr<float>();
  double sum = 0;
  std::int64_t planes = 0;
  for (std::int64_t row = 0; row < tensor.size(0); ++row)
    for (std::int64_t channel = 0; channel < channels; channel += apart, ++planes)
      sum += sum_of_squares(values + (row * channels + channel) * plane, plane);
  return std::sqrt(sum / static_cast<double>(planes * plane));
}

const at::Tensor& input_of(const RegionPorts& ports, const at::Tensor& batch) {
  if (ports.input == nullptr) return batch;
  return ports.input_is_branch ? ports.input->seed_input() : ports.input->output();
}

Layout layout_of(const Slot* slot) {
  return slot == nullptr ? Layout::image : slot->description().layout;
}

std::int64_t channels_of(const HostDescription& host, const Slot* slot) {
  for (const auto& description : host.slots)
    if (slot != nullptr && description.name == slot->description().name)
      return description.channels;
  return 0;
}

}  // namespace

std::vector<RegionPorts> ports_of(HostModel& host) {
  const auto& description = host.description();
  std::vector<RegionPorts> ports(description.regions.size());
  std::vector<Slot*> first(description.regions.size());
  for (std::size_t slot = 0; slot < description.slots.size(); ++slot) {
    const auto region = description.slots[slot].region.value;
    if (first.at(region) == nullptr) first[region] = &host.slot(slot);
    ports[region].output = &host.slot(slot);
  }
  for (std::size_t region = 0; region < ports.size(); ++region) {
    const Slot* own = first[region];
    if (own != nullptr && own->description().kind == SlotKind::branch) {
      ports[region].input = own;
      ports[region].input_is_branch = true;
      continue;
    }
    for (const auto& edge : description.edges)
      if (edge.to.value == region && !edge.skip && ports.at(edge.from.value).output != nullptr)
        ports[region].input = ports[edge.from.value].output;
    // Bytes have no size: what enters the first block has.
    if (ports[region].input == nullptr && own != nullptr &&
        own->description().layout == Layout::sequence) {
      ports[region].input = own;
      ports[region].input_is_branch = true;
    }
  }
  return ports;
}

WindowTelemetry::WindowTelemetry(HostModel& host, const GateConfig& gates,
                                 std::uint32_t window_steps)
    : gates_(gates), window_steps_(window_steps) {
  const auto ports = ports_of(host);
  for (std::uint32_t index = 0; index < ports.size(); ++index) {
    Region region;
    region.ports = ports[index];
    measure_sizes(region, host, {index});
    region.changes.reserve(window_steps);
    region.norms.reserve(window_steps);
    region.past.calm_ranks.reserve(calm_ranks_kept);
    regions_.push_back(std::move(region));
  }
  losses_.reserve(window_steps);
  scratch_.reserve(std::max<std::size_t>({window_steps, calm_ranks_kept, regions_.size()}));
}

void WindowTelemetry::measure_sizes(Region& region, HostModel& host, RegionId id) {
  const auto& description = host.description();
  region.parameters = host.region_parameters(id);
  double count = 0;
  for (const auto& parameter : region.parameters) count += static_cast<double>(parameter.numel());
  region.root_parameters = std::sqrt(std::max(count, 1.0));
  region.ranker.reset();
  region.input_ranker.reset();
  if (const auto channels = channels_of(description, region.ports.output); channels > 0)
    region.ranker.emplace(channels, rank_rows_max, layout_of(region.ports.output));
  if (region.ports.input != nullptr && !region.ports.input_is_branch)
    region.input_ranker.emplace(channels_of(description, region.ports.input), rank_rows_max,
                                layout_of(region.ports.input));
}

void WindowTelemetry::look_again(HostModel& host) {
  for (std::uint32_t index = 0; index < regions_.size(); ++index) {
    Region& region = regions_[index];
    const double before = region.root_parameters;
    measure_sizes(region, host, {index});
    if (region.root_parameters == before) continue;
    region.past.calm_ranks.clear();
    region.past.next_calm = 0;
    region.past.last_rms = 0;
    region.past.rank = region.past.input_rank = 1;
  }
}

TelemetryMemory WindowTelemetry::memory() const {
  TelemetryMemory memory;
  for (const auto& region : regions_) memory.regions.push_back(region.past);
  memory.loss_before = loss_before_;
  return memory;
}

void WindowTelemetry::remember(const TelemetryMemory& memory) {
  if (memory.regions.size() != regions_.size())
    throw std::runtime_error("remembers " + std::to_string(memory.regions.size()) +
                             " regions, not " + std::to_string(regions_.size()));
  for (std::size_t region = 0; region < regions_.size(); ++region)
    regions_[region].past = memory.regions[region];
  loss_before_ = memory.loss_before;
}

bool WindowTelemetry::measure_gradients() {
  gradients_finite_ = true;
  for (auto& region : regions_) {
    region.norm = gradient_norm(region.parameters);
    if (finite(region.norm)) continue;
    ++region.non_finite;
    gradients_finite_ = false;
  }
  return gradients_finite_;
}

void WindowTelemetry::measure_activations(const at::Tensor& batch, bool with_rank) {
  for (auto& region : regions_) {
    if (region.ports.output == nullptr) continue;
    const auto& output = region.ports.output->output();
    const auto& input = input_of(region.ports, batch);
    if (!output.defined() || !input.defined()) continue;
    const double rms = sampled_rms(output), before = region.past.last_rms;
    if (!finite(rms)) continue;
    if (before > 0 && region.changes.size() < window_steps_)
      region.changes.push_back((rms > before ? rms - before : before - rms) / before);
    region.past.last_rms = rms;
    if (!with_rank) continue;
    region.past.output_rms = rms;
    region.past.input_rms = sampled_rms(input);
    if (!region.ranker) continue;
    if (const double rank = (*region.ranker)(output); finite(rank)) region.past.rank = rank;
    if (!region.input_ranker) {
      // The batch, or what a branch's layer reads: its channels are known only now.
      if (input.dim() < 2) continue;
      const Layout layout = layout_of(region.ports.input);
      region.input_ranker.emplace(input.size(layout == Layout::sequence ? 2 : 1), rank_rows_max,
                                  layout);
    }
    if (const double rank = (*region.input_ranker)(input); finite(rank))
      region.past.input_rank = rank;
  }
}

std::vector<double> WindowTelemetry::measured_here() {
  std::vector<double> numbers;
  for (auto& region : regions_)
    numbers.insert(numbers.end(),
                   {quantile(region.changes, 0.95), region.past.output_rms, region.past.input_rms,
                    region.past.rank, region.past.input_rank});
  return numbers;
}

void WindowTelemetry::measured_by_all(const std::vector<double>& means) {
  auto mean = means.begin();
  for (auto& region : regions_) {
    region.jitter = *mean++;
    region.past.output_rms = *mean++;
    region.past.input_rms = *mean++;
    region.past.rank = *mean++;
    region.past.input_rank = *mean++;
  }
}

void WindowTelemetry::mark() {
  for (auto& region : regions_)
    region.marked = {region.changes.size(),  region.non_finite,     region.past.last_rms,
                     region.past.output_rms, region.past.input_rms, region.past.rank,
                     region.past.input_rank};
}

void WindowTelemetry::undo() {
  for (auto& region : regions_) {
    region.changes.resize(region.marked.changes);
    region.non_finite = region.marked.non_finite;
    region.past.last_rms = region.marked.last_rms;
    region.past.output_rms = region.marked.output_rms;
    region.past.input_rms = region.marked.input_rms;
    region.past.rank = region.marked.rank;
    region.past.input_rank = region.marked.input_rank;
  }
}

void WindowTelemetry::accept(double loss) {
  if (!finite(loss)) {
    for (auto& region : regions_)
      if (finite(region.norm)) ++region.non_finite;  // a step counts once
  }
  if (losses_.size() < window_steps_) losses_.push_back(loss);
  for (auto& region : regions_)
    if (region.norms.size() < window_steps_) region.norms.push_back(region.norm);
}

void WindowTelemetry::skip(bool non_finite) {
  ++skipped_;
  if (!non_finite) return;
  for (auto& region : regions_)
    if (finite(region.norm)) ++region.non_finite;
}

double WindowTelemetry::diversity(Region& region, bool calm) {
  if (calm) {
    if (region.past.calm_ranks.size() < calm_ranks_kept)
      region.past.calm_ranks.push_back(region.past.rank);
    else
      region.past.calm_ranks[region.past.next_calm++ % calm_ranks_kept] = region.past.rank;
  }
  if (region.past.calm_ranks.empty())
    return region.past.input_rank > 0 ? region.past.rank / region.past.input_rank : 1;
  scratch_.assign(region.past.calm_ranks.begin(), region.past.calm_ranks.end());
  const double median = quantile(scratch_, 0.5);
  return median > 0 ? region.past.rank / median : 1;
}

void WindowTelemetry::close_region(Region& region, RegionTelemetry& told) {
  told.jitter = region.jitter ? *region.jitter : quantile(region.changes, 0.95);
  region.jitter.reset();
  told.gradient_norm_max = 0;
  for (const double norm : region.norms)
    if (!(norm <= told.gradient_norm_max)) told.gradient_norm_max = norm;
  told.gradient_norm_median = quantile(region.norms, 0.5);
  told.non_finite = region.non_finite;
  told.signal_rms = region.past.input_rms > 0 ? region.past.output_rms / region.past.input_rms : 1;
  // A region whose signal has died stands as still as one at peace.
  const bool calm = told.steps_covered > 0 && told.non_finite == 0 &&
                    told.jitter <= gates_.jitter_max && told.drift <= gates_.drift_max &&
                    told.signal_rms >= gates_.signal_min && told.signal_rms <= gates_.signal_max;
  told.diversity = region.ranker ? diversity(region, calm) : 1;
  region.changes.clear();
  region.norms.clear();
  region.non_finite = 0;
}

void WindowTelemetry::close(Window window, double learning_rate_ratio,
                            std::vector<RegionTelemetry>& regions) {
  const double mean = mean_of(losses_);
  const double sigma = detrended_sigma(losses_);
  const double drift = relative_rise(mean, loss_before_);
  for (std::uint32_t index = 0; index < regions_.size(); ++index) {
    auto& told = regions.at(index);
    told.region = {index};
    told.window = window;
    told.steps_covered = static_cast<std::uint32_t>(losses_.size());
    told.steps_missing = skipped_;
    told.loss_mean = mean;
    told.loss_sigma = sigma;
    told.drift = drift;
    told.learning_rate_ratio = learning_rate_ratio;
    close_region(regions_[index], told);
  }
  scratch_.clear();
  for (std::uint32_t index = 0; index < regions_.size(); ++index)
    scratch_.push_back(regions[index].gradient_norm_median / regions_[index].root_parameters);
  const double median = quantile(scratch_, 0.5);
  for (std::uint32_t index = 0; index < regions_.size(); ++index) {
    const double own = regions[index].gradient_norm_median / regions_[index].root_parameters;
    regions[index].signal_gradient = median > 0 ? own / median : 1;
  }
  if (!losses_.empty()) loss_before_ = mean;
  losses_.clear();
  skipped_ = 0;
}

}  // namespace esper
