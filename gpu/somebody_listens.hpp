#pragma once
// Whether a port answers, before c10d asks it: that would tell of one that does not with a page of
// the program's stack for every try.
#include <chrono>
#include <cstdint>
#include <string>

namespace esper {

/// Somebody listens at `host`:`port`, or comes to within `patience`. `host`: a name or an address.
[[nodiscard]] bool somebody_listens(const std::string& host, std::uint16_t port,
                                    std::chrono::milliseconds patience);

}  // namespace esper
