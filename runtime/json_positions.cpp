#include "runtime/json_positions.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace esper {
namespace {

/// Walks characters and counts them, so that an event knows how far the parser has read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }

 private:
  const char* at_;
  std::size_t* count_;
};

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

TextPosition position_of(std::string_view text, std::size_t offset) {
  TextPosition position{1, 1};
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    if (text[i] == '\n')
      position = {position.line + 1, 1};
    else if (!continues_character(text[i]))
      ++position.column;
  }
  return position;
}

bool in_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/// nlohmann's sentence without its own prefix.
std::string sentence(std::string_view what) {
  const auto colon = what.find(": ");
  return std::string{colon == std::string_view::npos ? what : what.substr(colon + 2)};
}

/// Builds the tree from SAX events; `read` is how many characters the parser has taken.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const std::size_t& read, const std::vector<std::size_t>& blanked,
          JsonDocument& document)
      : text_(text), read_(read), blanked_(blanked), document_(document) {}

  bool null() override { return put(nullptr, read_ - 4); }
  bool boolean(bool value) override { return put(value, read_ - (value ? 4 : 5)); }
  bool number_integer(number_integer_t value) override { return put(value, number_start()); }
  bool number_unsigned(number_unsigned_t value) override { return put(value, number_start()); }
  bool number_float(number_float_t value, const string_t&) override {
    return put(value, number_start());
  }
  bool string(string_t& value) override { return put(value, text_start()); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonNode::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    key_ = value;
    key_at_ = position_of(text_, text_start());
    const auto& members = stack_.back().node.members;
    const auto first = std::find_if(members.begin(), members.end(),
                                    [&](const JsonMember& member) { return member.key == value; });
    if (first != members.end())
      document_.flaws.push_back({JsonFlawKind::duplicate, key_at_, path(value),
                                 "first in line " + std::to_string(first->key_at.line)});
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    error_offset = position;
    error_is_range = error.id == 406;  // a number past the largest double
    const auto told = sentence(error.what());
    // A token that is complete but wrong here was not cut off, even at the very end.
    const bool cut = read_ >= text_.size() && !error_is_range &&
                     (told.find("unexpected") == std::string::npos ||
                      told.find("unexpected end of input") != std::string::npos);
    const auto at = position_of(text_, position == 0 ? 0 : position - 1);
    error_flaw = {cut ? JsonFlawKind::cut_off : JsonFlawKind::syntax, at, path(key_), told};
    return false;
  }

  /// Closes what the text left open.
  void finish() {
    while (!stack_.empty()) close();
  }

  std::size_t error_offset{};
  bool error_is_range{};
  std::optional<JsonFlaw> error_flaw;

 private:
  struct Open {
    JsonNode node;
    std::string key;
    TextPosition key_at;
  };

  bool put(nlohmann::json value, std::size_t start) {
    JsonNode node;
    node.at = position_of(text_, start);
    const bool is_blank = std::find(blanked_.begin(), blanked_.end(), start) != blanked_.end();
    node.scalar = is_blank ? nlohmann::json(nlohmann::json::value_t::discarded) : std::move(value);
    place(std::move(node), key_, key_at_);
    return true;
  }

  bool open(JsonNode::Kind kind) {
    constexpr std::size_t depth_max = 64;  // the tree is read and freed by recursion
    if (stack_.size() == depth_max) {
      error_flaw = {JsonFlawKind::syntax, position_of(text_, read_ - 1), path(key_),
                    "nested more than " + std::to_string(depth_max) + " deep"};
      return false;
    }
    Open opened{{}, key_, key_at_};
    opened.node.kind = kind;
    opened.node.at = position_of(text_, read_ - 1);
    stack_.push_back(std::move(opened));
    key_.clear();
    return true;
  }

  bool close() {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    place(std::move(done.node), done.key, done.key_at);
    key_.clear();
    return true;
  }

  void place(JsonNode node, const std::string& key, TextPosition key_at) {
    if (stack_.empty()) {
      document_.root = std::move(node);
    } else if (auto& parent = stack_.back().node; parent.kind == JsonNode::Kind::array) {
      parent.elements.push_back(std::move(node));
    } else if (parent.find(key) == nullptr) {
      parent.members.push_back({key, key_at, std::move(node)});
    }
  }

  [[nodiscard]] std::string path(const std::string& last) const {
    std::string dotted;
    const auto extend = [&](const std::string& key) {
      if (!dotted.empty() && !key.empty()) dotted += '.';
      dotted += key;
    };
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      extend(stack_[i].key);
      if (stack_[i].node.kind == JsonNode::Kind::array)
        dotted += '[' + std::to_string(stack_[i].node.elements.size()) + ']';
    }
    extend(last);
    return dotted;
  }

  [[nodiscard]] std::size_t number_start() const {
    auto end = read_;
    if (end > 0 && !in_number(text_[end - 1])) --end;  // the parser looks one character ahead
    while (end > 0 && in_number(text_[end - 1])) --end;
    return end;
  }

  [[nodiscard]] std::size_t text_start() const {
    for (auto at = read_ - 1; at > 0;) {
      --at;
      if (text_[at] != '"') continue;
      std::size_t escapes = 0;
      while (escapes < at && text_[at - 1 - escapes] == '\\') ++escapes;
      if (escapes % 2 == 0) return at;
    }
    return 0;
  }

  std::string_view text_;
  const std::size_t& read_;
  const std::vector<std::size_t>& blanked_;
  JsonDocument& document_;
  std::vector<Open> stack_;
  std::string key_;
  TextPosition key_at_;
};

struct Span {
  std::size_t from, to;
};

/// Where a value stands that JSON can't hold but a person may write, near a parser's error.
std::optional<Span> infinite_value(std::string_view text, std::size_t offset, bool range) {
  if (range) {
    auto to = std::min(offset, text.size());
    while (to > 0 && !in_number(text[to - 1])) --to;
    auto from = to;
    while (from > 0 && in_number(text[from - 1])) --from;
    return Span{from, to};
  }
  constexpr std::array<std::string_view, 6> words{"-Infinity", "+Infinity", "Infinity",
                                                  "NaN",       "-NaN",      "-inf"};
  const auto lowest = offset > 10 ? offset - 10 : 0;
  for (auto from = lowest; from < std::min(offset + 1, text.size()); ++from)
    for (const auto word : words)
      if (text.substr(from).starts_with(word) && offset <= from + word.size())
        return Span{from, from + word.size()};
  return std::nullopt;
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (const auto& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

JsonDocument parse_positioned(std::string text) {
  std::vector<JsonFlaw> not_finite;
  std::vector<std::size_t> blanked;
  for (;;) {
    JsonDocument document;
    std::size_t read = 0;
    Builder builder{text, read, blanked, document};
    const char* first = text.data();
    const bool parsed = nlohmann::json::sax_parse(
        CountingIterator{first, &read}, CountingIterator{first + text.size(), &read}, &builder);
    builder.finish();
    if (!parsed && builder.error_flaw) {
      const auto span = infinite_value(text, builder.error_offset, builder.error_is_range);
      if (span && span->to > span->from) {  // blank it out and read on
        not_finite.push_back({JsonFlawKind::not_finite, position_of(text, span->from),
                              builder.error_flaw->key,
                              text.substr(span->from, span->to - span->from)});
        std::string zero = "0";  // of the same length, so that no later position moves
        zero.resize(span->to - span->from, ' ');
        text.replace(span->from, span->to - span->from, zero);
        blanked.push_back(span->from);
        continue;
      }
      document.flaws.push_back(*builder.error_flaw);
      document.complete = false;
    }
    document.flaws.insert(document.flaws.end(), not_finite.begin(), not_finite.end());
    return document;
  }
}

}  // namespace esper
