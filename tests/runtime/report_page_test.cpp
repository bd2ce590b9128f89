#include "runtime/report_page.hpp"

#include <catch2/catch.hpp>

#include "runtime/page_parts.hpp"
#include "tests/runtime/lived_run.hpp"
#include "tests/runtime/page_numbers.hpp"

namespace esper {
namespace {

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

SCENARIO("the page embeds the report so that no text of it can end the script", "[page]") {
  const auto json = report_json(lived_report());
  REQUIRE(json.find("</script><b>") != std::string::npos);
  const auto page = report_page(json, {});
  CHECK(count_of(page, "</script>") == 2);  // the data's and the script's own
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("<title>by &lt;hand&gt;, seed 18446744073709551615") != std::string::npos);
  const auto embedded = between(page, "id=\"report\">\n", "</script>");
  CHECK(nlohmann::json::parse(embedded) == nlohmann::json::parse(json));
  auto back = embedded;
  for (auto at = back.find("\\u003c"); at != std::string::npos; at = back.find("\\u003c"))
    back.replace(at, 6, "<");
  CHECK(back == json);  // nothing but that
}

SCENARIO("the page stands alone", "[page]") {
  const auto page = report_page(report_json(lived_report()), {});
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const char* fetched : {"src=\"", "url(", "@import", "http:", "https:", "<link"}) {
    INFO(fetched);
    const auto script = std::string{page_script()};
    const auto allowed = count_of(script, "\"http://www.w3.org/2000/svg\"");  // a name, not a place
    CHECK(count_of(page, fetched) == (std::string{fetched} == "http:" ? allowed : 0));
  }
  CHECK(page.find("<html lang=\"en\">") != std::string::npos);
  CHECK(page == report_page(report_json(lived_report()), {}));
}

SCENARIO("what is wrong with a directory stands on top, escaped", "[page]") {
  const auto page = report_page("{}", {"runs/<a>&b: the chain breaks"});
  CHECK(page.find("<li>runs/&lt;a&gt;&amp;b: the chain breaks</li>") != std::string::npos);
  CHECK(page.find("<title>run – Esper") != std::string::npos);
  CHECK(html_text("\"'") == "&quot;&#39;");
}

SCENARIO("a number that is not the report's is found", "[page]") {
  const std::string report =
      R"({"a": [{"b": 0.12345}], "big": 18446744073709551615, "n": -1234567})";
  const auto mistakes = [&](const std::string& value, const std::string& shown,
                            const std::string& key = "/a/0/b",
                            const std::string& format = "percent2") {
    return mistakes_in("<span data-key=\"" + key + "\" data-value=\"" + value +
                           "\" data-format=\"" + format + "\">" + shown + "</span>",
                       report)
        .size();
  };
  CHECK(mistakes("0.12345", "12.35 %") == 0);
  CHECK(mistakes("0.12346", "12.35 %") == 1);
  CHECK(mistakes("0.12345", "12.40 %") == 1);
  CHECK(mistakes("0.12345", "many") == 1);
  CHECK(mistakes("0.12345", "12.35 %", "/a/1/b") == 1);
  CHECK(mistakes("0.12345", "0.12345", "/a/0/b", "other") == 1);
  CHECK(mistakes("18446744073709551615", "18446744073709551615", "/big", "plain") == 0);
  CHECK(mistakes("18446744073709551616", "18446744073709551616", "/big", "plain") == 1);
  CHECK(mistakes("-1234567", "\u22121\u202f234\u202f567", "/n", "count") == 0);
  CHECK(mistakes("-1234567", "1\u202f234\u202f567", "/n", "count") == 1);
}

}  // namespace esper
