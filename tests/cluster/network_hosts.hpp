#pragma once
// Several hosts on one machine: network namespaces on a bridge, real TCP between them. Needs root.
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace esper {

class NetworkHosts {
 public:
  explicit NetworkHosts(std::vector<std::string> names) : names_(std::move(names)) {
    able_ = ::geteuid() == 0 && run("ip netns list") && run("iptables -V") && build();
  }
  ~NetworkHosts() { clear(); }
  NetworkHosts(const NetworkHosts&) = delete;
  NetworkHosts& operator=(const NetworkHosts&) = delete;

  /// False: not on this machine.
  [[nodiscard]] bool able() const { return able_; }
  [[nodiscard]] std::string address(const std::string& name) const {
    return "10.213." + std::to_string(::getpid() % 200) + "." + std::to_string(number(name) + 2);
  }
  /// What comes before a command that runs there.
  [[nodiscard]] std::vector<std::string> at(const std::string& name) const {
    return {"/usr/bin/env", "ip", "netns", "exec", space(name)};
  }

  /// Nothing passes, either way.
  void cut(const std::string& name) const { (void)run("ip link set " + wire(name) + " down"); }
  /// What it sends arrives no more; what it is sent does.
  void mute(const std::string& name) const { rule(name, "OUTPUT", "-j DROP"); }
  /// So many per cent of what it is sent are lost.
  void lose(const std::string& name, int per_cent) const {
    rule(name, "INPUT",
         "-m statistic --mode random --probability 0." + std::to_string(per_cent) + " -j DROP");
  }
  void heal(const std::string& name) const {
    (void)run("ip link set " + wire(name) + " up");
    (void)run("ip netns exec " + space(name) + " iptables -F");
  }

 private:
  [[nodiscard]] static bool run(const std::string& command) {
    return std::system(("PATH=$PATH:/usr/sbin:/sbin " + command + " >/dev/null 2>&1").c_str()) == 0;
  }
  [[nodiscard]] std::size_t number(const std::string& name) const {
    return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  }
  [[nodiscard]] static std::string prefix() { return "es" + std::to_string(::getpid() % 100'000); }
  [[nodiscard]] std::string space(const std::string& name) const { return prefix() + "-" + name; }
  [[nodiscard]] std::string wire(const std::string& name) const {
    return prefix() + "w" + std::to_string(number(name));
  }
  void rule(const std::string& name, const std::string& chain, const std::string& rest) const {
    const auto device = "-" + std::string{chain == "INPUT" ? "i" : "o"} + " eth0 ";
    (void)run("ip netns exec " + space(name) + " iptables -A " + chain + " " + device + rest);
  }

  bool build() const {
    const auto bridge = prefix() + "br";
    bool made =
        run("ip link add " + bridge + " type bridge") && run("ip link set " + bridge + " up");
    for (const auto& name : names_) {
      const auto there = "ip -n " + space(name) + " ";
      made = made && run("ip netns add " + space(name)) &&
             run("ip link add " + wire(name) + " type veth peer name eth0 netns " + space(name)) &&
             run("ip link set " + wire(name) + " master " + bridge + " up") &&
             run(there + "addr add " + address(name) + "/24 dev eth0") &&
             run(there + "link set eth0 up") && run(there + "link set lo up");
    }
    return made;
  }
  void clear() const {
    for (const auto& name : names_) (void)run("ip netns del " + space(name));
    (void)run("ip link del " + prefix() + "br");
  }

  std::vector<std::string> names_;
  bool able_{};
};

}  // namespace esper
