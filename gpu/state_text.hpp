#pragma once
// One cut of a training as bytes, for another replica: the text of a checkpoint's file, unhashed.
#include "gpu/checkpoint_content.hpp"

namespace esper {

[[nodiscard]] std::string text_of(const CheckpointContent& content);
/// Errors: std::runtime_error or one of nlohmann's exceptions for text that is none.
[[nodiscard]] CheckpointContent content_of(const std::string& text);

}  // namespace esper
