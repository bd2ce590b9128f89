// make_seeds FOLDER: good inputs of the targets that read bytes, a folder each. Texts are
// committed.
#include <iostream>

#include "gpu/checkpoint_header.hpp"
#include "messages/wire.hpp"
#include "runtime/journal_kinds.hpp"
#include "tests/fuzz/some_journal.hpp"

namespace esper {
namespace {

using Path = std::filesystem::path;

template <typename T>
void write_message(const Path& folder, std::uint8_t kind) {
  for (const bool filled : {false, true}) {
    T message{};
    if (filled) Filler{true}.fill(message);
    std::vector<char> bytes;
    caf::binary_serializer out{static_cast<caf::execution_unit*>(nullptr), bytes};
    must(!out(message), "a message is encoded");
    write_text(folder / (std::string{T::schema.name} + (filled ? "_filled" : "_empty")),
               std::string{static_cast<char>(kind)} + std::string{bytes.begin(), bytes.end()});
  }
}

void write_messages(const Path& folder) {
  std::uint8_t kind = 0;
  std::apply([&](auto... messages) { (write_message<decltype(messages)>(folder, kind++), ...); },
             Messages{});
}

std::string length_of(const std::string& header) {
  std::string bytes;
  for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xFFU);
  return bytes;
}

std::string checkpoint(const std::string& manifest, const nlohmann::json& tensors) {
  nlohmann::json header = tensors;
  header["__metadata__"] = {{"format", checkpoint_format},
                            {"version", checkpoint_version},
                            {"manifest", manifest},
                            {"sha256", ""}};
  const std::string data(24, 'x');
  header["__metadata__"]["sha256"] = checkpoint_hash(header, {{data.data(), data.size()}});
  const auto text = header_text(header);
  return length_of(text) + text + data;
}

void write_checkpoints(const Path& folder) {
  CheckpointManifest manifest;
  write_text(folder / "empty", checkpoint(canonical(manifest), nlohmann::json::object()));
  Filler{true}.fill(manifest);
  const nlohmann::json tensors = {
      {"wide", {{"dtype", "F64"}, {"shape", {2}}, {"data_offsets", {0, 16}}}},
      {"narrow", {{"dtype", "U8"}, {"shape", {2, 4}}, {"data_offsets", {16, 24}}}},
      {"none", {{"dtype", "F32"}, {"shape", {0, 3}}, {"data_offsets", {24, 24}}}}};
  write_text(folder / "filled", checkpoint(canonical(manifest), tensors));
  // Deeper than any stack.
  const auto header = R"({"__metadata__":{"format":"esper checkpoint","version":"2"},"deep":)" +
                      std::string(30'000, '[') + std::string(30'000, ']') + "}";
  write_text(folder / "deep", length_of(header) + header);
}

void write_journals(const Path& folder) {
  const SomeJournal whole;
  write_text(folder / "whole", whole.bytes);
  write_text(folder / "unchanged", "");
}

void write_payloads(const Path& folder) {
  std::uint8_t kind = 0;
  [&]<typename... Kinds>(const std::tuple<Kinds...>*) {
    const auto write = [&](auto message) {
      const std::string chosen{static_cast<char>(kind++)};
      const auto name = std::string{decltype(message)::schema.name};
      write_text(folder / (name + "_empty"), chosen + canonical(message));
      Filler{true}.fill(message);
      write_text(folder / (name + "_filled"), chosen + canonical(message));
    };
    (write(Kinds{}), ...);
  }(static_cast<const JournalKinds*>(nullptr));
  const std::string open(30'000, '['), closed(30'000, ']');
  write_text(folder / "deep", "0{\"deep\":" + open + closed + "}");
}

}  // namespace
}  // namespace esper

int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder{arguments[1]};
  for (const char* target : {"wire", "checkpoint", "journal", "payload"})
    std::filesystem::create_directories(folder / target);
  esper::write_messages(folder / "wire");
  esper::write_checkpoints(folder / "checkpoint");
  esper::write_journals(folder / "journal");
  esper::write_payloads(folder / "payload");
  return 0;
}
