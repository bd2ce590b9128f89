#pragma once
// Where a database is, as a config may say it.
#include <string>

namespace esper {

/// Why a config may not hold this as a connection string, as one sentence that repeats nothing of
/// it;
/// "": it may. A password stands in a file that PGPASSFILE names, never here.
[[nodiscard]] std::string connection_string_problem(const std::string& where);

}  // namespace esper
