#pragma once
// Keeps a table of names and bytes for whoever connects, on a thread of its own. Why not c10d's
// TCPStore (2.13, measured): its keeper asks a name server for the name of each one that connects
// before it serves any, and stands for tens of seconds where that server is cut off, too; its calls
// wait for an answer without an end while the keeper is stopped; and each loss is told with pages
// of the program's stack.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "gpu/table_frames.hpp"

namespace esper {

/// Names and bytes, bounded.
class Table {
 public:
  [[nodiscard]] TableAnswer take(const TableRequest& request);

 private:
  [[nodiscard]] bool put(const std::string& name, std::string bytes);
  std::map<std::string, std::string> texts_;
  std::size_t bytes_{};  ///< of names and values
};

class TableKeeper {
 public:
  /// port  0: any that is free. Of all of this machine's addresses.
  /// Errors: std::runtime_error, a clause, for a port that is taken.
  explicit TableKeeper(std::uint16_t port);
  ~TableKeeper();
  TableKeeper(const TableKeeper&) = delete;
  TableKeeper& operator=(const TableKeeper&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace esper
