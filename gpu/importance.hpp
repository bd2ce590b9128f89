#pragma once
// How much the loss would change if a channel, or a whole layer, left, to first order.
#include <atomic>

#include "gpu/model_copy.hpp"
#include "gpu/session_data.hpp"
#include "messages/pruning.hpp"

namespace esper {

/// Taylor importance and activity of every channel of every coupled group of a copy, and of every
/// residual layer that stands, in evaluation mode. Touches nothing but the copy, and draws nothing:
/// on any thread, beside training.
///
///   I_c = sum over batches of (dL/dgate_c)^2, divided by the group's mean; >= 0, squared loss
///   units
///         over squared loss units. gate_c, 1 as measured, multiplies the channel.
///
/// A group whose channels one layer makes has its gate on the last point slot that they pass
/// through, so that seeds in its slots are measured with it: h [batch, channels, height, width],
/// dL/dgate_c = sum of h * dL/dh over batch and positions. Without any slot and without a norm
/// behind the layer (attention heads, feed-forward units) the gate is where the channel is read:
/// dL/dgate_c = sum of w * dL/dw over the weights that read it, exact for any layer that is linear
/// in what it reads. Else the gate is on all layers that make the channel: dL/dgate_c = sum of w *
/// dL/dw over the channel's weights and biases, which is exact where only what is positively
/// homogeneous (ReLU, pooling) follows; of a layer and the norm behind it, the norm's. Activity is
/// the RMS of h, in its units, or, without a slot, sqrt(w^2 + b^2) of the norm: the RMS of what it
/// gives on the data it was trained on; 0 where there is neither.
///
/// A residual layer, x + f(x), has one gate, on its branch: dL/dgate = sum of f * dL/df, squared
/// and summed over batches as above, over the mean of the host's layers. Its similarity is the
/// cosine of x and x + f along the channels, meant over samples and positions.
///
/// batches  of the gate split; `loss` the mean over a batch, nats per sample
/// stop     asked between batches; a stopped, failed or non-finite measurement says so in `problem`
///          and has no groups and layers
/// source   Molchanov et al. 2019, arXiv:1906.10771; of the similarity Men et al. 2024 (ShortGPT),
///          arXiv:2403.03853
[[nodiscard]] ImportanceReport measure(ModelCopy& copy, const std::vector<Batch>& batches,
                                       const LossFunction& loss, const std::atomic<bool>& stop);

}  // namespace esper
