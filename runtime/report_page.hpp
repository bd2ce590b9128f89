#pragma once
// report.html: report.json for the eye and the screen reader, in one file that fetches nothing.
#include <string>
#include <vector>

namespace esper {

/// The page of a report. Every number on it is drawn from `report_json`, which it embeds, by the
/// script that it embeds, too. `notices` stand on top: what is wrong with the run's directory.
/// Errors: throws nlohmann's parse_error when `report_json` is no JSON.
[[nodiscard]] std::string report_page(const std::string& report_json,
                                      const std::vector<std::string>& notices);

/// Text for the inside of an element or a quoted attribute.
[[nodiscard]] std::string html_text(std::string_view text);

/// JSON for the inside of a <script> element, which nothing in it can end. It means the same.
[[nodiscard]] std::string json_for_script(std::string_view json);

}  // namespace esper
