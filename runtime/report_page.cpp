#include "runtime/report_page.hpp"

#include <nlohmann/json.hpp>

#include "runtime/page_parts.hpp"

namespace esper {
namespace {

std::string title_of(const std::string& report_json) {
  const auto report = nlohmann::json::parse(report_json);
  const auto seed = report.find("seed");
  return report.value("name", std::string{"run"}) +
         (seed == report.end() ? "" : ", seed " + seed->dump());
}

std::string notice_list(const std::vector<std::string>& notices) {
  if (notices.empty()) return "";
  std::string list =
      "<div class=\"notice\" role=\"alert\"><h2>This run is not as it was left</h2><ul>";
  for (const auto& notice : notices) list += "<li>" + html_text(notice) + "</li>";
  return list + "</ul></div>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string escaped;
  for (const char one : text) switch (one) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += one;
    }
  return escaped;
}

std::string json_for_script(std::string_view json) {
  // Both </script> and <!-- begin with this character, which JSON has in strings alone.
  std::string escaped;
  for (const char one : json) {
    if (one == '<')
      escaped += "\\u003c";
    else
      escaped += one;
  }
  return escaped;
}

std::string report_page(const std::string& report_json, const std::vector<std::string>& notices) {
  const std::string title = html_text(title_of(report_json));
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
      title + " – Esper</title>\n<style>\n";
  page += page_style();
  page +=
      "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n"
      "<header id=\"head\"><h1>" +
      title + "</h1></header>\n<nav id=\"contents\" aria-label=\"Sections\"></nav>\n" +
      "<main id=\"main\" tabindex=\"-1\">\n" + notice_list(notices) +
      "<noscript><p>This page draws its figures with a script of its own. They also stand, as "
      "JSON, in report.json beside it.</p></noscript>\n</main>\n"
      "<script type=\"application/json\" id=\"report\">\n" +
      json_for_script(report_json) + "</script>\n<script>\n";
  page += page_script();
  return page + "</script>\n</body>\n</html>\n";
}

}  // namespace esper
