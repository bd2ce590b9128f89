#include "sim/network.hpp"

namespace esper::sim {

void Network::carry(const std::string& from, const std::string& to,
                    const std::function<void()>& arrive, Delivery delivery) {
  const std::string node = far_end(from, to);
  auto& link = links_[node];
  const auto& trouble = link.trouble;
  if (trouble.cut) {
    if (stream_.below(2) == 0 || delivery == Delivery::sure) link.held.push_back(arrive);
    if (troubled) troubled(node);
    return;
  }
  const bool lost = trouble.lose > 0 && stream_.below(100) < trouble.lose;
  const bool twice = trouble.twice > 0 && stream_.below(100) < trouble.twice;
  const std::uint64_t delay_ms =
      trouble.delay_ms_max > 0 ? stream_.below(trouble.delay_ms_max + 1) : 0;
  if ((lost || twice || delay_ms > 0) && troubled) troubled(node);
  if (lost && delivery == Delivery::may_be_lost) return;
  world_.at(world_.now_ms() + (lost ? repeated_after_ms : delay_ms), arrive);
  if (twice && delivery == Delivery::may_be_lost)
    world_.at(world_.now_ms() + delay_ms + stream_.below(50), arrive);
}

void Network::set(const std::string& node, const LinkTrouble& trouble) {
  auto& present = links_[node].trouble;
  const bool cut = present.cut;
  present = trouble;
  present.cut = cut;
}

void Network::cut(const std::string& node, std::uint64_t duration_ms) {
  auto& link = links_[node];
  link.trouble.cut = true;
  const std::uint64_t number = ++link.cuts;
  world_.at(world_.now_ms() + suspicion_ms, [this, node, number] {
    const auto& now = links_[node];
    if (now.trouble.cut && now.cuts == number && suspected) suspected(node);
  });
  world_.at(world_.now_ms() + duration_ms, [this, node, number] { mend(node, number); });
}

void Network::mend(const std::string& node, std::uint64_t cut_number) {
  auto& link = links_[node];
  if (!link.trouble.cut || link.cuts != cut_number) return;
  link.trouble.cut = false;
  for (const auto& arrive : std::exchange(link.held, {})) arrive();
}

void Network::heal() {
  for (auto& [node, link] : links_) {
    const std::uint64_t number = link.cuts;
    mend(node, number);
    link.trouble = {};
  }
}

bool Network::whole(const std::string& node) const {
  const auto link = links_.find(node);
  return link == links_.end() || !link->second.trouble.cut;
}

}  // namespace esper::sim
