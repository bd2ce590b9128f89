#include "sim/cluster_bank.hpp"

#include "actors/decisions/placement.hpp"

namespace esper::sim::cluster {

namespace {

constexpr std::int64_t share = 1'000, minted = regions * share;  // thousandths a cycle
constexpr std::uint64_t again_ms = 800, standby_ms = 2'000, first_ms = 700;

}  // namespace

Bank::Bank(World& world, const Shape& shape, Peers& peers, NodeId self)
    : world_(world),
      shape_(shape),
      peers_(peers),
      self_(self),
      watch_(self == shape.banks.front() ? first_ms : standby_ms) {
  report_.fences.assign(regions, {});
  for (std::uint32_t region = 0; region < regions; ++region) regions_[{region}] = {};
}

void Bank::tick() {
  send(ReadRow{entries_, leading_, epoch_});
  if (!leading_) {
    if (watch_.may_take_over()) {
      taken_ = watch_.epoch();
      send(TakeRow{*taken_});
    }
    return;
  }
  if (!under_way_)
    decide();
  else if (world_.now_ms() >= sent_ms_ + again_ms)
    send(*under_way_);
  send_assignments();
}

void Bank::take(const Row& row) {
  if (row.from == entries_)
    for (const auto& entry : row.entries) fold(entry);
  if (leading_) {
    if (row.row.epoch > epoch_) leading_ = false;
    return;
  }
  watch_.saw(row.row, world_.now_ms());
  const bool mine = taken_ && row.row.holder == shape_.nodes[self_].node &&
                    row.row.epoch.value == taken_->value + 1;
  // Everything must have been read, or old decisions would be made again.
  if (!mine || row.from + row.entries.size() != entries_) return;
  leading_ = true;
  epoch_ = row.row.epoch;
  under_way_.reset();
}

void Bank::take(const Appended& appended) {
  if (!leading_ || appended.epoch != epoch_ || !under_way_ || appended.base != under_way_->base)
    return;
  if (appended.verdict == AppendVerdict::deposed) leading_ = false;
  const bool stands =
      appended.verdict == AppendVerdict::append || appended.verdict == AppendVerdict::known;
  const auto append = *under_way_;
  under_way_.reset();
  if (stands && append.base == entries_)
    for (const auto& entry : append.entries) fold(entry);
}

void Bank::take(const Report& report) {
  if (std::pair(report.epoch, report.step) > std::pair(report_.epoch, report_.step))
    report_ = report;
}

void Bank::fold(const Entry& entry) {
  ++entries_;
  auto& region = regions_[entry.region];
  switch (entry.kind) {
    case Entry::Kind::mint:
      minted_ = entry.cycle;
      break;
    case Entry::Kind::move:
      region.next = entry.epoch;
      break;
    case Entry::Kind::start:
      region.next = region.started = entry.epoch;
      region.node = entry.node;
      region.process = entry.process;
      region.blocked = entry.cycle;
      break;
    case Entry::Kind::grant:
      region.grant = entry;
      region.open = true;
      break;
    case Entry::Kind::close:
      region.open = false;
      region.spent[entry.cycle] += entry.amount;
      break;
  }
}

Entry Bank::entry_of(Entry::Kind kind, RegionId region) const {
  Entry entry;
  entry.kind = kind;
  entry.region = region;
  entry.prime = epoch_;
  return entry;
}

/// What was spent under the lease is final: nothing of it is carried out any more.
Entry Bank::closing(RegionId id, const Region& region) const {
  auto entry = entry_of(Entry::Kind::close, id);
  entry.epoch = region.grant.epoch;
  entry.cycle = region.grant.cycle;
  const auto spent = report_.spent.find({id, region.grant.cycle});
  const auto before = region.spent.find(region.grant.cycle);
  entry.amount = (spent == report_.spent.end() ? 0 : spent->second) -
                 (before == region.spent.end() ? 0 : before->second);
  return entry;
}

void Bank::decide() {
  std::vector<Entry> entries;
  const auto cycle = cycle_of(report_.window + 1);
  if (cycle > minted_) {
    auto mint = entry_of(Entry::Kind::mint, {});
    mint.cycle = cycle;
    mint.amount = minted;
    entries.push_back(mint);
  }
  for (auto& [id, region] : regions_) {
    if (region.started.value == 0)
      place_region(id, region, entries);
    else if (gone(region) || region.next > region.started)
      move_region(id, region, entries);
    else
      renew_region(id, region, entries);
  }
  if (entries.empty()) return;
  under_way_ = Append{epoch_, entries_, entries};
  sent_ms_ = world_.now_ms();
  send(*under_way_);
}

/// Its node is lost, or is another process now.
bool Bank::gone(const Region& region) {
  const auto process = peers_.process(region.node);
  return peers_.lost(region.node) || (process > 0 && process != region.process);
}

std::optional<NodeId> Bank::home_for(RegionId id) {
  std::vector<PlacementNode> living;
  for (const auto home : shape_.homes)
    if (!peers_.lost(home) && peers_.process(home) > 0)
      living.push_back({shape_.nodes[home].node, 0});
  const auto placed = place({{"region-" + std::to_string(id.value), ""}}, living).front();
  if (!placed) return std::nullopt;
  return shape_.node_of(living[*placed].name);
}

void Bank::place_region(RegionId id, Region&, std::vector<Entry>& entries) {
  const auto home = home_for(id);
  if (!home) return;
  auto start = entry_of(Entry::Kind::start, id);
  start.epoch = {1};
  start.node = *home;
  start.process = peers_.process(*home);
  entries.push_back(start);
}

void Bank::move_region(RegionId id, Region& region, std::vector<Entry>& entries) {
  if (region.next == region.started) {
    auto move = entry_of(Entry::Kind::move, id);
    move.epoch = {region.started.value + 1};
    entries.push_back(move);
    return;  // it stands in the journal before the executor is asked
  }
  const MoveFacts facts{region.next, report_.fences[id.value],
                        region.open ? region.grant.until : Window{0}, report_.window};
  const auto verdict = may_start(facts);
  const auto home = home_for(id);
  if (verdict == MoveVerdict::fence || !home) return;
  auto start = entry_of(Entry::Kind::start, id);
  start.epoch = region.next;
  start.node = *home;
  start.process = peers_.process(*home);
  if (region.open) {
    entries.push_back(closing(id, region));
    if (verdict == MoveVerdict::start_without_lease) start.cycle = region.grant.cycle;
  }
  entries.push_back(start);
}

void Bank::renew_region(RegionId id, Region& region, std::vector<Entry>& entries) {
  const auto cycle = minted_;
  if (region.open) {
    if (report_.window >= region.grant.until) entries.push_back(closing(id, region));
    return;
  }
  if (cycle.value == 0 || region.grant.cycle > cycle || region.blocked == cycle) return;
  // One lease a cycle for each incarnation: what it has spent already is not granted again.
  if (region.grant.cycle == cycle && region.grant.epoch == region.started) return;
  if (cycle_of(report_.window + 1) != cycle) return;
  const auto spent = region.spent.find(cycle);
  auto grant = entry_of(Entry::Kind::grant, id);
  grant.epoch = region.started;
  grant.cycle = cycle;
  grant.amount = share - (spent == region.spent.end() ? 0 : spent->second);
  grant.until = {cycle.value * cycle_windows};
  if (grant.amount > 0) entries.push_back(grant);
}

void Bank::send_assignments() {
  std::map<NodeId, Assign> assigns;
  std::vector<Epoch> fences(regions);
  for (const auto& [id, region] : regions_) {
    fences[id.value] = region.next;
    if (region.started.value == 0 || region.next != region.started) continue;
    auto& assign = assigns[region.node];
    assign.prime = epoch_;
    assign.process = region.process;
    LeaseReply lease{region.started, epoch_, {}, {}, {}};
    if (region.open && region.grant.epoch == region.started) {
      lease.cycle = region.grant.cycle;
      lease.granted = {region.grant.amount};
      lease.until = region.grant.until;
    }
    if (region.process == peers_.process(region.node)) assign.places.push_back({id, lease});
  }
  for (const auto& [node, assign] : assigns) world_.send(self_, node, assign);
  for (const auto trainer : shape_.trainers) world_.send(self_, trainer, FenceRequest{fences});
}

}  // namespace esper::sim::cluster
