#pragma once

#include <cstdint>

namespace esper {

/// The seed of this run of the tests: ESPER_SEED from the environment, else drawn afresh. Printed
/// before the first test, so that any failure can be run again. RapidCheck draws from it too.
[[nodiscard]] std::uint64_t test_seed();

}  // namespace esper
