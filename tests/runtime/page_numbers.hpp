#pragma once
// Reads what a browser made of report.html, and holds every number on it against report.json.
#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace esper {

/// How runtime/page/text.js writes a number: times `scale`, to so many digits after the point.
struct PageFormat {
  double scale{1};
  int digits{};
};

inline const std::map<std::string, PageFormat>& page_formats() {
  static const std::map<std::string, PageFormat> formats{
      {"count", {1, 0}},      {"fixed1", {1, 1}},
      {"fixed2", {1, 2}},     {"fixed4", {1, 4}},
      {"signed4", {1, 4}},    {"percent1", {100, 1}},
      {"percent2", {100, 2}}, {"points2", {100, 2}},
      {"times2", {1, 2}},     {"milliseconds3", {1'000, 3}},
      {"seconds1", {1, 1}},   {"giga1", {1e-9, 1}}};
  return formats;
}

struct PageNumber {
  std::string key, value, format, shown;
};

inline std::vector<PageNumber> page_numbers(const std::string& dom) {
  static const std::regex span{
      R"re(data-key="([^"]*)" data-value="([^"]*)" data-format="([^"]*)">([^<]*)<)re"};
  std::vector<PageNumber> numbers;
  for (std::sregex_iterator found{dom.begin(), dom.end(), span}, end; found != end; ++found)
    numbers.push_back({(*found)[1], (*found)[2], (*found)[3], (*found)[4]});
  return numbers;
}

/// Without thousands' spaces, with the sign that C++ knows.
inline std::string plain_digits(std::string text) {
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"\u202f", ""}, {"&nbsp;", ""}, {"\u2212", "-"}};
  for (const auto& [from, to] : kinds)
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from))
      text.replace(at, from.size(), to);
  return text;
}

/// Why this number is not the report's; "" when it is.
inline std::string mistake_in(const PageNumber& number, const nlohmann::json& report) {
  const nlohmann::json::json_pointer pointer{number.key};
  if (!report.contains(pointer)) return "is not in the report";
  const auto& told = report.at(pointer);
  if (told.is_string()) return told == number.value ? "" : "is another text there";
  if (told.is_number_integer() ? told.dump() != number.value
                               : told.get<double>() != std::strtod(number.value.c_str(), nullptr))
    return "is " + told.dump() + " there";
  const std::string shown = plain_digits(number.shown);
  if (number.format == "plain") return shown == number.value ? "" : "is shown as " + number.shown;
  const double raw = told.get<double>();
  char* end = nullptr;
  const double seen = std::strtod(shown.c_str(), &end);
  if (end == shown.c_str()) return "is shown as " + number.shown + ", which is no number";
  double wanted = raw, allowed = 0.0051 * std::abs(raw);  // short3: three digits
  if (number.format != "short3") {
    const auto format = page_formats().find(number.format);
    if (format == page_formats().end()) return "has the unknown format " + number.format;
    wanted = format->second.scale * raw;
    allowed = 0.501 * std::pow(10, -format->second.digits) + 1e-12 * std::abs(wanted);
  }
  return std::abs(seen - wanted) <= allowed ? "" : "is shown as " + number.shown;
}

inline std::vector<std::string> mistakes_in(const std::string& dom,
                                            const std::string& report_json) {
  const auto report = nlohmann::json::parse(report_json);
  std::vector<std::string> mistakes;
  for (const auto& number : page_numbers(dom))
    if (const auto why = mistake_in(number, report); !why.empty())
      mistakes.push_back(number.key + " = " + number.value + " " + why);
  return mistakes;
}

}  // namespace esper
