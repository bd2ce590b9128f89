#include <algorithm>
#include <ostream>

#include "runtime/listed.hpp"
#include "runtime/report.hpp"
#include "runtime/report_numbers.hpp"

namespace esper {
namespace {

std::string times(double value) { return value > 0 ? fixed(value, 3) + "x" : "-"; }
std::string signed_percent(double share) { return (share > 0 ? "+" : "") + percent(share); }

bool is_number(const std::string& cell) {
  return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell.front())) != 0 ||
                           ((cell.front() == '-' || cell.front() == '+') && cell.size() > 1));
}

void print_arms(std::ostream& out, const RunReport& report) {
  if (report.arms.empty()) return;
  Table table{{"arm", "accuracy", "loss", "parameters", "operations", "training ops", "latency ms",
               "wall s"}};
  for (const auto& arm : report.arms)
    table.push_back({arm.arm, percent(arm.test_accuracy), fixed(arm.test_loss, 4),
                     std::to_string(arm.parameters), std::to_string(arm.operations),
                     significant(static_cast<double>(total_operations(arm.training_operations))),
                     fixed(1e3 * arm.latency_batch_seconds, 2), fixed(arm.wall_seconds, 1)});
  const bool of_text = std::any_of(report.arms.begin(), report.arms.end(),
                                   [](const auto& arm) { return arm.test_bits_per_byte > 0; });
  if (of_text) {  // nats are what is compared, bits what texts are measured in
    table.front().insert(table.front().begin() + 3, "bits/byte");
    for (std::size_t i = 0; i < report.arms.size(); ++i)
      table[i + 1].insert(table[i + 1].begin() + 3, fixed(report.arms[i].test_bits_per_byte, 4));
  }
  print_table(out, table);
  if (report.gain.empty()) return;
  out << '\n';
  Table compared{{"grown against", "gain: accuracy", "loss saved", "cost: parameters", "operations",
                  "training ops", "latency", "wall"}};
  for (std::size_t i = 0; i < report.gain.size(); ++i) {
    const auto& gain = report.gain[i];
    const auto& cost = report.cost.at(i);
    compared.push_back({gain.against, signed_percent(gain.test_accuracy), fixed(gain.test_loss, 4),
                        times(cost.parameters), times(cost.operations),
                        times(cost.training_operations), times(cost.latency_batch),
                        times(cost.wall)});
  }
  print_table(out, compared);
}

/// The same refusal again and again is one line, with the newest numbers.
std::vector<std::pair<SeedAccount, std::size_t>> merged(const std::vector<SeedAccount>& seeds) {
  std::vector<std::pair<SeedAccount, std::size_t>> lines;
  for (const auto& seed : seeds) {
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& line) {
      const auto& before = line.first;
      return before.fate == "refused" && seed.fate == "refused" && before.slot == seed.slot &&
             before.blueprint == seed.blueprint && before.gate == seed.gate &&
             before.reason == seed.reason;
    });
    if (same == lines.end()) {
      lines.emplace_back(seed, 1);
    } else {
      same->first = seed;
      ++same->second;
    }
  }
  return lines;
}

void print_seeds(std::ostream& out, const RunAccount& account) {
  out << "\nSeeds\n";
  if (account.seeds.empty()) {
    out << "  none\n";
    return;
  }
  Table table{{"region", "slot", "blueprint", "fate", "gate", "measured", "threshold", "reason"}};
  for (const auto& [seed, times] : merged(account.seeds)) {
    const bool has_numbers = seed.gate.starts_with('G');
    table.push_back({seed.region, seed.slot, seed.blueprint, seed.fate.empty() ? "-" : seed.fate,
                     seed.gate.empty() ? "-" : seed.gate,
                     has_numbers ? significant(seed.measured) : "-",
                     has_numbers ? significant(seed.threshold) : "-",
                     seed.reason + (times > 1 ? " (" + std::to_string(times) + " times)" : "")});
  }
  print_table(out, table);
}

void print_proposals(std::ostream& out, const RunAccount& account) {
  out << "\nProposals\n";
  if (account.proposals.empty()) {
    out << "  none\n";
    return;
  }
  Table table{{"region", "cycle", "blueprint", "ask", "predicted", "realised", "verdict", "amount",
               "reason"}};
  for (const auto& one : account.proposals)
    table.push_back({one.region, std::to_string(one.cycle.value), one.blueprint,
                     std::to_string(one.ask.thousandths), significant(one.predicted_gain),
                     one.realised_gain ? significant(*one.realised_gain) : "-",
                     one.verdict.empty() ? "unanswered" : one.verdict,
                     std::to_string(one.amount.thousandths), one.reason});
  print_table(out, table);
}

void print_counts(std::ostream& out, const std::string& title, const std::vector<Counted>& counts) {
  if (counts.empty()) return;
  out << '\n' << title << '\n';
  for (const auto& one : counts) out << "  " << one.count << "  " << one.what << '\n';
}

}  // namespace

void print_table(std::ostream& out, const Table& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t line = 0; line < rows.size(); ++line) {
    const auto& row = rows[line];
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      // The head stands as its column's cells do.
      const auto& below =
          rows[std::min<std::size_t>(std::max<std::size_t>(line, 1), rows.size() - 1)];
      const bool right = i < below.size() && is_number(below[i]);
      const std::string space(widths[i] - row[i].size(), ' ');
      text += "  " + (right ? space + row[i] : row[i] + space);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
}

void print_ledger(std::ostream& out, const RunAccount& account) {
  Table table{{"cycle", "posture", "minted", "region", "granted", "reserved", "spent", "refused"}};
  for (const auto& cycle : account.cycles) {
    const auto number = std::to_string(cycle.cycle.value);
    const auto line = [&](const std::string& posture, const std::string& minted,
                          const RegionCycle& one) {
      table.push_back({number, posture, minted, one.region, std::to_string(one.granted.thousandths),
                       std::to_string(one.reserved.thousandths),
                       std::to_string(one.spent.thousandths),
                       std::to_string(one.refused.thousandths)});
    };
    RegionCycle all{"all", {}, {}, {}, {}};
    for (const auto& region : cycle.regions) {
      all.granted += region.granted;
      all.reserved += region.reserved;
      all.spent += region.spent;
      all.refused += region.refused;
    }
    line(cycle.posture.empty() ? "-" : cycle.posture, std::to_string(cycle.minted.thousandths),
         all);
    for (const auto& region : cycle.regions) line("", "", region);
  }
  print_table(out, table);
  const auto& energy = account.energy;
  out << "\nminted " << energy.minted.thousandths << " = available " << energy.available.thousandths
      << " + reserved " << energy.reserved.thousandths << " + spent " << energy.spent.thousandths
      << " + lapsed " << energy.lapsed.thousandths << " thousandths\n";
}

namespace {

void print_nodes(std::ostream& out, const std::vector<NodeStanding>& nodes) {
  if (nodes.empty()) return;
  out << "\nNodes\n";
  Table table{{"node", "at the end", "Narsets of"}};
  for (const auto& node : nodes)
    table.push_back({node.node, node.state, node.regions.empty() ? "-" : listed(node.regions)});
  print_table(out, table);
}

}  // namespace

void print_summary(std::ostream& out, const RunReport& report) {
  print_arms(out, report);
  const auto& account = report.account;
  print_seeds(out, account);
  print_proposals(out, account);
  print_temporary(out, account);
  print_economy(out, account);
  print_compaction(out, report);
  const auto& energy = account.energy;
  out << "\nEnergy (thousandths): minted " << energy.minted.thousandths << ", granted "
      << energy.granted.thousandths << ", spent " << energy.spent.thousandths << ", lapsed "
      << energy.lapsed.thousandths << "; " << percent(energy.refused_share)
      << " of what was asked for was refused for want of energy\n";
  print_counts(out, "Refusals", account.refusals);
  print_counts(out, "Restarts", account.restarts);
  print_counts(out, "Absences", account.absences);
  print_counts(out, "Breakers open", report.breakers);
  print_nodes(out, report.nodes);
  out << "\nreproducible  " << (report.reproducible ? "yes" : "no: " + report.first_irreproducible)
      << "\ndecisions     " << report.journal_hash << "\nweights       " << report.weights_hash
      << '\n';
  if (report.seal)
    out << "journal file  " << report.seal->file_sha256 << "\njournal head  "
        << report.seal->head_hash << " (" << report.seal->entries << " entries)\n";
  if (!report.error.empty()) out << "ended early   " << report.error << '\n';
}

void print_comparison(std::ostream& out, const std::vector<RunReport>& reports) {
  Table table{{"seed", "arm", "accuracy", "loss", "parameters", "fossilised"}};
  for (const auto& report : reports) {
    const auto fossilised =
        std::count_if(report.account.seeds.begin(), report.account.seeds.end(),
                      [](const SeedAccount& seed) { return seed.fate == "fossilised"; });
    for (const auto& arm : report.arms)
      table.push_back({std::to_string(report.seed), arm.arm, percent(arm.test_accuracy),
                       fixed(arm.test_loss, 4), std::to_string(arm.parameters),
                       arm.arm == "grown" ? std::to_string(fossilised) : "-"});
  }
  print_table(out, table);
  out << '\n';
  Table compared{{"grown against", "mean gain", "another seed moves", "verdict"}};
  for (const auto& one : compare_seeds(reports))
    compared.push_back(
        {one.against, signed_percent(one.gain_mean), percent(one.seed_spread), one.verdict});
  print_table(out, compared);
}

}  // namespace esper
