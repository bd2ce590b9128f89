#include "runtime/export/python_seeds.hpp"

#include <algorithm>
#include <array>

#include "messages/result.hpp"
#include "runtime/export/python_text.hpp"

namespace esper {
namespace {

/// One kind's class. Arguments beside the channels: what its constructor takes.
struct SeedClass {
  BlueprintKind kind;
  std::string_view name, code;
};

constexpr std::array<SeedClass, 12> seed_class_list{{
    {BlueprintKind::normalisation, "Normalisation", R"py(
    """Each channel over the batch and its pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm0 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm0(x)
)py"},
    {BlueprintKind::squeeze_excitation, "SqueezeExcitation", R"py(
    """Each channel by a factor between -1 and 1, which follows from all channels' means."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, reduced, 1)
        self.excite = nn.Conv2d(reduced, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)
        return x * torch.tanh(self.excite(F.silu(self.squeeze(pooled))))
)py"},
    {BlueprintKind::depthwise_separable, "DepthwiseSeparable", R"py(
    """A convolution of each channel by itself, then a mixture of all at each pixel."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convolution0 = nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False
        )
        self.norm1 = nn.BatchNorm2d(channels)
        self.convolution3 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm4 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.convolution0(x)))
        return self.norm4(self.convolution3(x))
)py"},
    {BlueprintKind::bottleneck, "Bottleneck", R"py(
    """Fewer channels, a convolution of these, and back."""

    def __init__(self, channels: int, reduced: int, kernel: int) -> None:
        super().__init__()
        self.convolution0 = nn.Conv2d(channels, reduced, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(reduced)
        self.convolution3 = nn.Conv2d(reduced, reduced, kernel, padding=kernel // 2, bias=False)
        self.norm4 = nn.BatchNorm2d(reduced)
        self.convolution6 = nn.Conv2d(reduced, channels, 1, bias=False)
        self.norm7 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.convolution0(x)))
        x = F.relu(self.norm4(self.convolution3(x)))
        return self.norm7(self.convolution6(x))
)py"},
    {BlueprintKind::low_rank, "LowRank", R"py(
    """A linear map of the channels at each pixel, by way of fewer."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.convolution0 = nn.Conv2d(channels, reduced, 1, bias=False)
        self.convolution1 = nn.Conv2d(reduced, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution1(self.convolution0(x))
)py"},
    {BlueprintKind::spatial_depthwise, "SpatialDepthwise", R"py(
    """A convolution of each channel by itself."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convolution0 = nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False
        )
        self.norm1 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm1(self.convolution0(x))
)py"},
    {BlueprintKind::plain_convolution, "PlainConvolution", R"py(
    """A convolution of all channels, without a norm."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convolution0 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution0(x)
)py"},
    {BlueprintKind::layer_normalisation, "LayerNormalisation", R"py(
    """Each position over its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)
)py"},
    {BlueprintKind::causal_depthwise, "CausalDepthwise", R"py(
    """Each channel by itself, over the present position and those right before it."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.weight = nn.Parameter(torch.zeros(kernel, channels))  # the present position last

    def forward(self, x: Tensor) -> Tensor:
        kernel, positions = self.weight.shape[0], x.shape[1]
        padded = F.pad(self.norm(x), (0, 0, kernel - 1, 0))
        total = padded[:, :positions] * self.weight[0]
        for i in range(1, kernel):
            total = total + padded[:, i : i + positions] * self.weight[i]
        return total
)py"},
    {BlueprintKind::low_rank_adapter, "LowRankAdapter", R"py(
    """A linear map of the channels at each position, by way of fewer."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, reduced, bias=False)
        self.up = nn.Linear(reduced, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))
)py"},
    {BlueprintKind::feed_forward_adapter, "FeedForwardAdapter", R"py(
    """A small feed-forward layer at each position, behind a norm."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.down = nn.Linear(channels, reduced)
        self.up = nn.Linear(reduced, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(F.gelu(self.down(self.norm(x))))
)py"},
    {BlueprintKind::attention_head, "AttentionHead", R"py(
    """One causal head more, behind a norm."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, reduced, bias=False)
        self.key = nn.Linear(channels, reduced, bias=False)
        self.value = nn.Linear(channels, reduced, bias=False)
        self.out = nn.Linear(reduced, channels, bias=False)
        self.head_channels = reduced

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        query, key, value = self.query(x), self.key(x), self.value(x)
        return self.out(causal_attention(query, key, value, self.head_channels))
)py"},
}};

constexpr std::string_view dropped_code = R"py(
    """Dropout behind another module."""

    def __init__(self, inner: nn.Module, share: float) -> None:
        super().__init__()
        self.inner = inner
        self.dropout = nn.Dropout(share)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.inner(x))
)py";

const SeedClass& class_of(BlueprintKind kind) {
  const auto* found = std::ranges::find(seed_class_list, kind, &SeedClass::kind);
  if (found == seed_class_list.end())
    throw InvariantViolation("no Python module for a seed's kind");
  return *found;
}

std::string written(std::string_view name, std::string_view code) {
  return "\n\nclass " + std::string{name} + "(nn.Module):" + std::string{code};
}

const SeedStructure* standing_in(const ModelStructure& structure, const std::string& slot) {
  for (const SeedStructure& seed : structure.seeds)
    if (std::ranges::find(seed.slots, slot) != seed.slots.end()) return &seed;
  return nullptr;
}

std::string scaled(const SeedStructure& seed, const std::string& slot, const std::string& input) {
  const std::string added = seed_attribute(slot) + "(" + input + ")";
  return seed.alpha == 1 ? added : python_float(seed.alpha) + " * " + added;
}

}  // namespace

std::string seed_classes(const ModelStructure& structure) {
  std::string text;
  for (const SeedClass& one : seed_class_list)
    if (std::ranges::find(structure.seeds, one.kind, &SeedStructure::kind) != structure.seeds.end())
      text += written(one.name, one.code);
  if (std::ranges::any_of(structure.seeds,
                          [](const SeedStructure& seed) { return seed.dropout > 0; }))
    text += written("Dropped", dropped_code);
  return text;
}

std::string built_seed(const SeedStructure& seed) {
  std::string text = std::string{class_of(seed.kind).name} + "(" + std::to_string(seed.channels);
  if (seed.reduced > 0) text += ", reduced=" + std::to_string(seed.reduced);
  if (seed.kernel > 0) text += ", kernel=" + std::to_string(seed.kernel);
  text += ")";
  return seed.dropout > 0 ? "Dropped(" + text + ", " + python_float(seed.dropout) + ")" : text;
}

std::string seed_members(const ModelStructure& structure) {
  std::string text;
  for (const SeedStructure& seed : structure.seeds)
    for (const std::string& slot : seed.slots)
      text += body_line(seed_attribute(slot) + " = " + built_seed(seed));
  return text.empty() ? text : body_line("# Grown while training, each in its slot.") + text;
}

std::string after_point(const ModelStructure& structure, const std::string& slot,
                        const std::string& stream) {
  const auto* seed = standing_in(structure, slot);
  if (seed == nullptr) return {};
  if (seed->alpha == 0) return body_line("# " + seed_attribute(slot) + " ended at alpha 0.");
  return body_line(stream + " = " + stream + " + " + scaled(*seed, slot, stream));
}

std::string beside_branch(const ModelStructure& structure, const std::string& slot,
                          const std::string& input) {
  const auto* seed = standing_in(structure, slot);
  return seed == nullptr || seed->alpha == 0 ? std::string{} : " + " + scaled(*seed, slot, input);
}

}  // namespace esper
