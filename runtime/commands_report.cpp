#include <iostream>

#include "runtime/commands.hpp"
#include "runtime/recount.hpp"
#include "runtime/report_page.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

ExitCode command_report(const std::filesystem::path& directory, OutputFormat output) {
  const auto found = find_report(directory);
  for (const auto& trouble : found.troubles) std::cerr << trouble << '\n';
  if (found.json.empty()) return found.exit;
  const auto page = directory / "report.html";
  if (!write_file(page, report_page(found.json, found.troubles))) {
    std::cerr << page.string() << " can't be written\n";
    return ExitCode::failed;
  }
  if (output == OutputFormat::json)
    std::cout << found.json;
  else
    std::cout << page.string() << '\n';
  return found.exit;
}

}  // namespace esper
