#pragma once
// What two nodes tell each other behind TLS, before anything is relayed to CAF.
#include <string>
#include <string_view>
#include <vector>

#include "messages/json.hpp"
#include "messages/result.hpp"

namespace esper {

inline constexpr std::uint32_t hello_version = 3;
/// Of one message of the handshake, without its four bytes of length.
inline constexpr std::size_t hello_bytes_max = 4'096;

struct Hello {
  std::uint32_t version{hello_version};
  std::string node;             ///< as the config and the certificate name it
  std::uint64_t incarnation{};  ///< of the node's process; higher: later
  std::string build;            ///< both must be of one
  std::string config;           ///< SHA-256 of the cluster's config; both must have the same
  bool leads{};                 ///< it is the prime now: nodes join here
  std::string question{};       ///< to be answered in place of a stream; "": a stream is wanted

  static constexpr auto schema =
      record("Hello", field("version", &Hello::version), field("node", &Hello::node),
             field("incarnation", &Hello::incarnation), field("build", &Hello::build),
             field("config", &Hello::config), field("leads", &Hello::leads),
             field("question", &Hello::question));
};

/// The second and last message each way.
struct HelloAnswer {
  std::string refusal;  ///< one sentence; "": let in
  std::string answer;   ///< to a question

  static constexpr auto schema = record("HelloAnswer", field("refusal", &HelloAnswer::refusal),
                                        field("answer", &HelloAnswer::answer));
};

/// Why `theirs` is not let in; "": it is. `certified`: their certificate is of that name.
/// `members`: nodes of the config.
[[nodiscard]] std::string refusal_of(const Hello& theirs, const Hello& ours, bool certified,
                                     const std::vector<std::string>& members);

struct HelloFault {
  std::string sentence;  ///< one clause
};

/// With its length before it, four bytes, most significant first.
template <Described T>
[[nodiscard]] std::string hello_frame(const T& message) {
  const std::string text = canonical(message);
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string frame;
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(size >> shift & 0xff);
  return frame + text;
}
/// The length in a frame's first four bytes.
[[nodiscard]] std::size_t hello_length(std::string_view four);
/// What stands behind them.
template <Described T>
[[nodiscard]] Result<T, HelloFault> read_hello(std::string_view text) {
  try {
    return parsed<T>(text);
  } catch (const std::exception&) {
    return HelloFault{"it says nothing that is understood"};
  }
}

}  // namespace esper
