// SPDX-License-Identifier: MIT
#include "config/disk_record.hpp"

#include "base/shell_words.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace vmr {
namespace {

constexpr std::string_view title = "vm-runner-disk-1";

}  // namespace

std::string record_path_of(const std::string& path) {
  return path + ".base";
}

std::string print_disk_record(const DiskRecord& record) {
  std::string text = fmt::format("{}\n", title);
  text += fmt::format("kind {}\n", record.is_copy ? "copy" : "overlay");
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} {}\n", key, shell_quote(value));
  };
  add("digest", record.digest);
  for (const auto& image : record.images) {
    text += fmt::format("image {}\n", shell_join({image.format, image.fingerprint, image.path}));
  }
  add("kernel", record.kernel);
  add("initrd", record.initrd);
  add("cmdline", record.cmdline);
  return text;
}

std::optional<DiskRecord> read_disk_record(std::string_view text) {
  const auto words = shell_split(text);
  if (!words || words->empty() || words->front() != title) return std::nullopt;
  DiskRecord record;
  bool has_kind = false;
  for (std::size_t i = 1; i < words->size();) {
    const auto& key = (*words)[i];
    const std::size_t values = key == "image" ? 3 : 1;
    if (i + values >= words->size()) return std::nullopt;
    const auto& value = (*words)[i + 1];
    if (key == "kind" && (value == "copy" || value == "overlay")) {
      record.is_copy = value == "copy";
      has_kind = true;
    } else if (key == "image") {
      record.images.push_back({(*words)[i + 3], value, (*words)[i + 2]});
    } else if (key == "digest") {
      record.digest = value;
    } else if (key == "kernel") {
      record.kernel = value;
    } else if (key == "initrd") {
      record.initrd = value;
    } else if (key == "cmdline") {
      record.cmdline = value;
    } else {
      return std::nullopt;
    }
    i += values + 1;
  }
  const bool is_whole = has_kind && (record.is_copy || !record.images.empty());
  return is_whole ? std::optional(record) : std::nullopt;
}

}  // namespace vmr
