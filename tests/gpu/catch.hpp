#pragma once
// Catch's CHECK. c10 defines one of its own, and of the two the last include would win in silence.
#include <c10/util/Logging.h>
#undef CHECK

#include <catch2/catch.hpp>
