#pragma once
// What a database says when it refuses, whichever it is.
#include <stdexcept>

namespace esper {

/// `what()` is its sentence.
struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace esper
