#include "runtime/postgresql/connection_string.hpp"

#include <memory>

#include <libpq-fe.h>

namespace esper {

std::string connection_string_problem(const std::string& where) {
  if (where.empty()) return "names no database";
  char* said = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
      PQconninfoParse(where.c_str(), &said), &PQconninfoFree};
  PQfreemem(said);  // it may repeat a part of the text
  if (!options) return "is no connection string of PostgreSQL";
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string name{option->keyword};
    if ((name == "password" || name == "sslpassword") && option->val != nullptr)
      return "holds a password";
  }
  return {};
}

}  // namespace esper
