#include "runtime/export/python_hosts.hpp"

#include "actors/decisions/fashion_shape.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "messages/result.hpp"
#include "runtime/export/python_seeds.hpp"
#include "runtime/export/python_text.hpp"

namespace esper {
namespace {

constexpr std::string_view attention_function = R"py(

def causal_attention(query: Tensor, key: Tensor, value: Tensor, head_channels: int) -> Tensor:
    """Of [sequences, positions, heads * head_channels] each: what every head mixes."""

    def by_head(x: Tensor) -> Tensor:
        return x.unflatten(2, (-1, head_channels)).transpose(1, 2)

    mixed = F.scaled_dot_product_attention(
        by_head(query), by_head(key), by_head(value), is_causal=True
    )
    return mixed.transpose(1, 2).flatten(2)
)py";

constexpr std::string_view transformer_parts = R"py(

class Attention(nn.Module):
    """Causal attention; some heads may have been cut."""

    def __init__(self, channels: int, heads: int, head_channels: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.query = nn.Linear(channels, heads * head_channels, bias=False)
        self.key = nn.Linear(channels, heads * head_channels, bias=False)
        self.value = nn.Linear(channels, heads * head_channels, bias=False)
        self.out = nn.Linear(heads * head_channels, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.query(x), self.key(x), self.value(x)
        return self.out(causal_attention(query, key, value, self.head_channels))


class FeedForward(nn.Module):
    """Two linear maps at each position; some units between them may have been cut."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.up = nn.Linear(channels, units)
        self.down = nn.Linear(units, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm and beside the residual stream.

    Of no heads or no units the layer has left whole, and the stream passes by.
    """

    def __init__(self, channels: int, heads: int, head_channels: int, units: int) -> None:
        super().__init__()
        if heads > 0:
            self.attention_norm = nn.LayerNorm(channels)
            self.attention = Attention(channels, heads, head_channels)
        if units > 0:
            self.feed_forward_norm = nn.LayerNorm(channels)
            self.feed_forward = FeedForward(channels, units)

    def attend(self, x: Tensor) -> Tensor:
        return x + self.attention(self.attention_norm(x))

    def transform(self, x: Tensor) -> Tensor:
        return x + self.feed_forward(self.feed_forward_norm(x))
)py";

/// The host's class: what its constructor and its forward pass hold.
std::string host_class(const ModelStructure& structure, const HostText& host,
                       const std::string& members, const std::string& argument,
                       const std::string& forward) {
  return "\n\nclass " + host.name + "(nn.Module):\n    \"\"\"The host " + structure.host + "/" +
         structure.size + " with what grew in it.\"\"\"\n\n    def __init__(self) -> None:\n" +
         body_line("super().__init__()") + members + seed_members(structure) +
         "\n    def forward(self, " + argument + ": Tensor) -> Tensor:\n" + forward;
}

std::string convolution(std::uint32_t inputs, std::uint32_t outputs, std::uint32_t stride,
                        bool bias) {
  return "nn.Conv2d(" + std::to_string(inputs) + ", " + std::to_string(outputs) + ", 3, " +
         (stride == 1 ? "" : "stride=" + std::to_string(stride) + ", ") + "padding=1" +
         (bias ? ")" : ", bias=False)");
}

std::string head_members(const ModelStructure& structure, std::uint32_t channels) {
  return body_line("self.dropout = nn.Dropout(" + python_float(structure.dropout) + ")") +
         body_line("self.head = " + linear_map(channels, classes_of(structure.host)));
}

/// For each width convolution, batch norm and ReLU; two slots after each but the first.
std::string normed_cnn(const ModelStructure& structure, const HostText& host) {
  const auto slots = slot_names(structure);
  std::string members, forward;
  std::uint32_t inputs = 1;
  for (std::size_t i = 0; i < structure.widths.size(); ++i) {
    const std::string number = std::to_string(i);
    const std::uint32_t width = structure.widths.at(i);
    members += body_line("self.conv" + number + " = " +
                         convolution(inputs, width, fashion_strides.at(i), false)) +
               body_line("self.norm" + number + " = nn.BatchNorm2d(" + std::to_string(width) + ")");
    inputs = width;
    const std::string from = i == 0 ? "images" : "x";
    forward +=
        body_line("x = F.relu(self.norm" + number + "(self.conv" + number + "(" + from + ")))");
    for (std::size_t slot = 2 * i; i > 0 && slot < 2 * i + 2; ++slot)
      forward += after_point(structure, slots.at(slot - 2), "x");
  }
  members += head_members(structure, inputs);
  forward += body_line("return self.head(self.dropout(x.mean((2, 3))))");
  return host_class(structure, host, members, "images", forward);
}

/// A stem and convolutions without norms, each with a branch slot.
std::string plain_cnn(const ModelStructure& structure, const HostText& host) {
  const auto slots = slot_names(structure);
  const std::uint32_t width = structure.widths.at(0);
  const std::size_t depth = slots.size() - 3;  // the stem's slot, the region's and the head's
  std::string members = body_line("self.stem = " + convolution(1, width, 2, true));
  std::string forward = body_line("x = F.relu(self.stem(images))");
  std::size_t next = 0;
  forward += after_point(structure, slots.at(next++), "x");
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string layer = "self.plain" + std::to_string(i);
    members += body_line(layer + " = " + convolution(width, width, 1, true));
    forward += body_line("x = F.relu(" + layer + "(x)" +
                         beside_branch(structure, slots.at(next++), "x") + ")");
  }
  forward += after_point(structure, slots.at(next++), "x");
  forward += body_line("x = x.mean((2, 3), keepdim=True)");
  forward += after_point(structure, slots.at(next), "x");
  forward += body_line("return self.head(self.dropout(x.flatten(1)))");
  members += head_members(structure, width);
  return host_class(structure, host, members, "images", forward);
}

std::string byte_transformer(const ModelStructure& structure, const HostText& host) {
  const TransformerShape shape = transformer_shape(structure.size).value();
  const auto slots = slot_names(structure);
  const std::string channels = std::to_string(shape.channels);
  const std::string context = std::to_string(TransformerShape::context);
  std::string members =
      body_line("self.embedding = nn.Embedding(" + std::to_string(TransformerShape::vocabulary) +
                ", " + channels + ")") +
      body_line("self.positions = nn.Embedding(" + context + ", " + channels + ")");
  std::string forward =
      body_line("positions = text.shape[1]") + body_line("if positions > " + context + ":") +
      body_line("    raise ValueError(f\"{positions} bytes are longer than the context of " +
                context + "\")") +
      body_line("x = self.embedding(text) + self.positions.weight[:positions]") +
      body_line("x = x * math.sqrt(" + channels + ")");
  std::size_t next = 0;
  for (std::size_t i = 0; 2 * i < structure.widths.size(); ++i) {
    const std::string block = "self.block" + std::to_string(i);
    members += body_line(block + " = Block(" + channels +
                         ", heads=" + std::to_string(structure.widths[2 * i]) +
                         ", head_channels=" + std::to_string(shape.head_channels) +
                         ", units=" + std::to_string(structure.widths[2 * i + 1]) + ")");
    forward += after_point(structure, slots.at(next++), "x");
    if (structure.widths[2 * i] > 0) forward += body_line("x = " + block + ".attend(x)");
    forward += after_point(structure, slots.at(next++), "x");
    if (structure.widths[2 * i + 1] > 0) forward += body_line("x = " + block + ".transform(x)");
    forward += after_point(structure, slots.at(next++), "x");
  }
  members += body_line("self.norm = nn.LayerNorm(" + channels + ")") +
             body_line("self.dropout = nn.Dropout(" + python_float(structure.dropout) + ")");
  forward += body_line("return F.linear(self.dropout(self.norm(x)), self.embedding.weight)");
  return host_class(structure, host, members, "text", forward);
}

}  // namespace

HostText host_text(const ModelStructure& structure) {
  HostText host;
  if (structure.host == "byte_transformer") {
    const std::string context = std::to_string(TransformerShape::context);
    host.name = "ByteTransformer";
    host.inputs = "int64 bytes [batch, positions], at most " + context + " positions";
    host.logits = "of the next byte, [batch, positions, 256]";
    host.example = "torch.randint(0, 256, (2, " + context + "))";
    host.square_root = true;
    host.classes = std::string{attention_function} + seed_classes(structure) +
                   std::string{transformer_parts} + byte_transformer(structure, host);
    return host;
  }
  if (structure.host != "fashion_cnn")
    throw InvariantViolation("no Python module for the host " + structure.host);
  host.name = "FashionCnn";
  host.inputs = "float32 images [batch, 1, 28, 28], pixels as (byte / 255 - 0.286) / 0.353";
  host.logits = "of the 10 classes, [batch, 10]";
  host.example = "torch.randn(2, 1, 28, 28)";
  host.classes = seed_classes(structure) + (structure.size == "melt" ? plain_cnn(structure, host)
                                                                     : normed_cnn(structure, host));
  return host;
}

}  // namespace esper
