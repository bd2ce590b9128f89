#include "gpu/make_host.hpp"

#include <stdexcept>

#include "gpu/byte_transformer.hpp"
#include "gpu/fashion_cnn.hpp"

namespace esper {

std::unique_ptr<HostModel> make_host(const std::string& host, const std::string& size,
                                     const std::vector<std::uint32_t>& widths, double dropout,
                                     const std::vector<RegionConfig>& regions) {
  auto description = describe_host(host, size, widths);
  if (!description)
    throw std::runtime_error("there is no host \"" + host + "\" of size \"" + size +
                             "\" with these widths");
  const auto mistakes = recut(*description, host_layers(host, size, widths), regions);
  if (!mistakes.empty())
    throw std::runtime_error("the cut into regions is wrong: " + mistakes.front().problem);
  const auto used = widths.empty() ? default_widths(host, size) : widths;
  if (const auto shape = transformer_shape(size); host == "byte_transformer" && shape)
    return make_byte_transformer(std::move(*description), *shape, used, dropout);
  return make_fashion_cnn(std::move(*description), size, used, dropout);
}

}  // namespace esper
