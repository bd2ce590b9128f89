#pragma once

#include <cstring>

#include <ATen/core/Tensor.h>

namespace esper {

/// Equal as bytes: NaN equals itself, and -0.0 differs from +0.0.
inline bool bits_equal(const at::Tensor& a, const at::Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  if (a.sizes() != b.sizes() || a.dtype() != b.dtype()) return false;
  const at::Tensor x = a.detach().contiguous();
  const at::Tensor y = b.detach().contiguous();
  // What has no entry has no address either.
  return x.numel() == 0 || std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

}  // namespace esper
