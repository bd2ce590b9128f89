#include "runtime/journal_kinds.hpp"

#include "messages/json.hpp"
#include "messages/json_depth.hpp"

namespace esper {
namespace {

/// The bits of a float, as messages/json writes them where floats are exact.
bool is_exact_float(const std::string& text) {
  constexpr std::size_t length = 18;
  return text.size() == length && text.starts_with("0x") &&
         text.find_first_not_of("0123456789abcdef", 2) == std::string::npos;
}

void make_readable(nlohmann::json& json) {
  if (json.is_structured())
    for (auto& part : json) make_readable(part);
  else if (json.is_string() && is_exact_float(json.get_ref<const std::string&>()))
    json = detail::float_to_json(detail::float_from_json(json), Floats::plain);
}

}  // namespace

std::vector<std::string> journal_kind_names() {
  std::vector<std::string> names{std::string{config_kind}};
  [&]<typename... Kinds>(const std::tuple<Kinds...>*) {
    (names.emplace_back(Kinds::schema.name), ...);
  }(static_cast<const JournalKinds*>(nullptr));
  return names;
}

nlohmann::json readable_payload(std::string_view text) {
  if (nesting_of(text) > json_depth_max) return nullptr;
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return nullptr;
  make_readable(json);
  return json;
}

}  // namespace esper
