#pragma once
// Properties over more or fewer cases than RapidCheck's hundred.
#include <rapidcheck.h>

#include <iostream>
#include <string>
#include <utility>

namespace esper {

/// Does the property hold for `cases` of them? Otherwise the shrunk case is printed.
template <typename Property>
bool holds(const std::string& description, int cases, Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = cases;
  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = description;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), metadata, params);
  std::cerr << "\n- " << description << '\n';
  rc::detail::printResultMessage(result, std::cerr);
  std::cerr << '\n';
  return result.template is<rc::detail::SuccessResult>();
}

}  // namespace esper
