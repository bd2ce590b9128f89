#pragma once
// The files of runtime/page/, as the build embeds them (cmake/EmbedPage.cmake).
#include <string_view>

namespace esper {

[[nodiscard]] std::string_view page_style();
/// The scripts, in the order in which they need each other.
[[nodiscard]] std::string_view page_script();

}  // namespace esper
