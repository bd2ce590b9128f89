#pragma once
// What crosses a connection to a table: a request, then its answer, in the machine's own order of
// bytes (little-endian, as everywhere LibTorch runs).
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace esper {

static_assert(std::endian::native == std::endian::little);

enum class TableCall : std::uint8_t {
  set,     ///< name, bytes
  get,     ///< name; answered with bytes
  add,     ///< name, number; answered with the counter's value behind it, kept as decimal text
  has,     ///< name
  remove,  ///< name
  count,   ///< answered with the number of names
};
inline constexpr std::uint8_t table_calls = 6;

enum class TableStatus : std::uint8_t { done, absent, full, not_a_number };

inline constexpr std::uint32_t table_name_max = 4u << 10;   ///< bytes
inline constexpr std::uint32_t table_value_max = 1u << 20;  ///< bytes

struct TableRequest {
  TableCall call{};
  std::int64_t number{};
  std::string name{}, bytes{};
};
struct TableAnswer {
  TableStatus status{};
  std::int64_t number{};
  std::string bytes{};
};

/// Kind, number, lengths of two texts.
using TableHeader = std::array<char, 1 + 8 + 4 + 4>;

struct TableHeaderFields {
  std::uint8_t kind{};
  std::int64_t number{};
  std::uint32_t first{}, second{};
};

inline TableHeaderFields fields_of(const TableHeader& header) {
  TableHeaderFields fields;
  std::memcpy(&fields.kind, header.data(), 1);
  std::memcpy(&fields.number, header.data() + 1, 8);
  std::memcpy(&fields.first, header.data() + 9, 4);
  std::memcpy(&fields.second, header.data() + 13, 4);
  return fields;
}

/// Header and both texts.
inline std::string frame(std::uint8_t kind, std::int64_t number, const std::string& first,
                         const std::string& second) {
  const auto first_size = static_cast<std::uint32_t>(first.size());
  const auto second_size = static_cast<std::uint32_t>(second.size());
  std::string all(sizeof(TableHeader), '\0');
  std::memcpy(all.data(), &kind, 1);
  std::memcpy(all.data() + 1, &number, 8);
  std::memcpy(all.data() + 9, &first_size, 4);
  std::memcpy(all.data() + 13, &second_size, 4);
  return all + first + second;
}
inline std::string frame_of(const TableRequest& request) {
  return frame(static_cast<std::uint8_t>(request.call), request.number, request.name,
               request.bytes);
}
inline std::string frame_of(const TableAnswer& answer) {
  return frame(static_cast<std::uint8_t>(answer.status), answer.number, answer.bytes, "");
}

}  // namespace esper
