#pragma once
// The database: one row for who leads, and the journal. Each request is one transaction.
#include "sim/cluster_checks.hpp"
#include "sim/cluster_world.hpp"

namespace esper::sim::cluster {

class Database {
 public:
  Database(World& world, Checks& checks, const Shape& shape)
      : world_(world), checks_(checks), shape_(shape) {}

  void take(NodeId from, const ReadRow& read);
  void take(NodeId from, const Append& append);
  void take(NodeId from, const TakeRow& take);
  [[nodiscard]] const LeaderRow& row() const { return row_; }

 private:
  World& world_;
  Checks& checks_;
  const Shape& shape_;
  LeaderRow row_;
  std::vector<Entry> entries_;
};

}  // namespace esper::sim::cluster
