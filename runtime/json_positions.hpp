#pragma once
// JSON that remembers where each key and value stands, and goes on after a flaw where it can.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace esper {

/// From 1, in characters. Line 0: not from the file; `column` is then the number, from 1, of the
/// override that it stands in.
struct TextPosition {
  std::uint64_t line{}, column{};
  friend bool operator==(const TextPosition&, const TextPosition&) = default;
};

struct JsonMember;

/// One value. Objects and arrays keep their parts in the text's order; `scalar` holds the rest.
struct JsonNode {
  enum class Kind : std::uint8_t { scalar, array, object };
  Kind kind{};
  TextPosition at;
  nlohmann::json scalar;
  std::vector<JsonNode> elements;
  std::vector<JsonMember> members;

  [[nodiscard]] const JsonNode* find(std::string_view key) const;
};

struct JsonMember {
  std::string key;
  TextPosition key_at;
  JsonNode value;
};

enum class JsonFlawKind : std::uint8_t { syntax, cut_off, duplicate, not_finite };

struct JsonFlaw {
  JsonFlawKind kind{};
  TextPosition at;
  std::string key;   ///< dotted path, elements as [2]; "" at the top
  std::string text;  ///< what the parser says, or the offending text
};

/// After a syntax flaw `root` holds what stood before it and `complete` is false.
struct JsonDocument {
  JsonNode root;
  std::vector<JsonFlaw> flaws;
  bool complete{true};
};

/// Of a duplicate key the first value stays. A number that no double holds, NaN and Infinity are
/// flaws and read as a discarded scalar. Nesting past 64 is a syntax flaw.
[[nodiscard]] JsonDocument parse_positioned(std::string text);

}  // namespace esper
