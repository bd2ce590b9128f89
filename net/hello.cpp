#include "net/hello.hpp"

#include <algorithm>

namespace esper {

std::string refusal_of(const Hello& theirs, const Hello& ours, bool certified,
                       const std::vector<std::string>& members) {
  if (theirs.version != ours.version)
    return "speaks version " + std::to_string(theirs.version) + " of the handshake, " + ours.node +
           " speaks " + std::to_string(ours.version);
  if (!certified) return "says it is " + theirs.node + ", and its certificate is of another name";
  if (theirs.node == ours.node) return "is called " + theirs.node + ", as this node is";
  if (std::find(members.begin(), members.end(), theirs.node) == members.end())
    return "is called " + theirs.node + ", which is no node of the config";
  if (theirs.build != ours.build)
    return "is of build " + theirs.build + ", " + ours.node + " of " + ours.build;
  if (theirs.config != ours.config)
    return "has the config " + theirs.config + ", " + ours.node + " has " + ours.config;
  return "";
}

std::size_t hello_length(std::string_view four) {
  std::size_t length = 0;
  for (const char byte : four) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace esper
