// SPDX-License-Identifier: MIT
#include "config/own_drives.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// What a -drive may say besides, without another file being opened.
constexpr std::array harmless_keys = std::to_array<std::string_view>(
    {"file",          "if",           "format",      "id",           "node-name", "media",
     "index",         "bus",          "unit",        "cache",        "aio",       "discard",
     "readonly",      "serial",       "werror",      "rerror",       "",          "read-only",
     "detect-zeroes", "copy-on-read", "file.driver", "file.filename"});

bool contains(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Drivers of QEMU that open what they are given by its very name.
constexpr std::array plain_drivers = std::to_array<std::string_view>({"file", "host_device"});

/// The file or device of a drive in either notation; empty: another, or none.
std::string file_of(const QemuKeys& keys) {
  const auto file = last_value(keys, "file");
  if (!keys.contains("file.driver") && !keys.contains("file.filename")) {
    return is_plain_file(file) ? file : "";
  }
  const bool is_plain = contains(plain_drivers, last_value(keys, "file.driver"));
  return is_plain && file.empty() ? last_value(keys, "file.filename") : "";
}

std::optional<OwnDrive> read_drive(const std::string& value) {
  const auto keys = read_keys(value);
  const bool is_plain = std::all_of(keys.begin(), keys.end(), [](const auto& item) {
    return contains(harmless_keys, item.first) || item.first.starts_with("cache.");
  });
  auto file = file_of(keys);
  if (value.starts_with('{') || !is_plain || file.empty()) return std::nullopt;
  return OwnDrive{std::move(file),
                  last_value(keys, "media") == "cdrom" || is_on(last_value(keys, "readonly")) ||
                      is_on(last_value(keys, "read-only")),
                  last_value(keys, "format")};
}

}  // namespace

bool is_plain_file(const std::string& name) {
  return !name.empty() && name.find(':') >= name.find('/');
}

std::optional<OwnDrive> read_own_drive(const std::string& name, const std::string& value) {
  constexpr std::array short_forms =
      std::to_array<std::string_view>({"hda", "hdb", "hdc", "hdd", "fda", "fdb", "cdrom"});
  if (name == "drive") return read_drive(value);
  if (!contains(short_forms, name) || !is_plain_file(value)) return std::nullopt;
  return OwnDrive{value, name == "cdrom"};
}

std::vector<OwnDrive> find_own_drives(const std::vector<std::string>& words) {
  std::vector<OwnDrive> drives;
  for (const auto& option : split_options(words)) {
    if (auto drive = read_own_drive(option.name, option.value)) drives.push_back(std::move(*drive));
  }
  return drives;
}

}  // namespace vmr
