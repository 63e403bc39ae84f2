// SPDX-License-Identifier: MIT
#include "host/guest_image.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace vmr {
namespace {

namespace fs = std::filesystem;

/// "qcow2" by the file's first bytes, else "raw".
std::string disk_format(const std::string& path) {
  std::array<char, 4> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "QFI\xfb" ? "qcow2" : "raw";
}

/// `name` beside the guest.toml; sets `problem` when it is given but cannot be read.
std::string file_beside(const std::string& folder, const std::string& name, std::string& problem) {
  if (name.empty()) return {};
  auto path = name.front() == '/' ? name : folder + "/" + name;
  if (::access(path.c_str(), R_OK) != 0) {
    problem = fmt::format("its guest.toml names '{}', which cannot be read", name);
  }
  return path;
}

std::optional<GuestImage> read_guest_folder(const std::string& folder, std::string& problem) {
  try {
    const auto description = toml::parse_file(folder + "/guest.toml");
    const auto text = [&](std::string_view key) {
      return description[key].value_or(std::string());
    };
    GuestImage guest;
    guest.name = text("name");
    guest.kernel = file_beside(folder, text("kernel"), problem);
    guest.initrd = file_beside(folder, text("initrd"), problem);
    guest.disk = file_beside(folder, text("disk"), problem);
    guest.cmdline = text("cmdline");
    guest.login_user = text("login_user");
    guest.architecture = text("arch") == "aarch64"  ? Architecture::aarch64
                         : text("arch") == "x86_64" ? Architecture::x86_64
                                                    : Architecture::automatic;
    if (guest.kernel.empty() && guest.disk.empty()) {
      problem = "its guest.toml names neither a kernel nor a disk";
    }
    if (!problem.empty()) return std::nullopt;
    if (!guest.disk.empty()) guest.disk_format = disk_format(guest.disk);
    return guest;
  } catch (const toml::parse_error& error) {
    problem = fmt::format("its guest.toml cannot be read: {} (line {})", error.description(),
                          error.source().begin.line);
    return std::nullopt;
  }
}

}  // namespace

std::optional<GuestImage> read_guest_image(const std::string& path, std::string& problem) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (fs::is_directory(status)) {
    if (fs::exists(path + "/guest.toml", ignored)) return read_guest_folder(path, problem);
    problem = "a folder without a guest.toml";
  } else if (!fs::exists(status)) {
    problem = "no such file";
  } else if (!fs::is_regular_file(status) && !fs::is_block_file(status)) {
    problem = "neither a disk image nor a folder";
  } else if (::access(path.c_str(), R_OK) != 0) {
    problem = "the file cannot be read by this user";
  } else {
    GuestImage guest;
    guest.name = fs::path(path).filename().string();
    guest.disk = path;
    guest.disk_format = disk_format(path);
    return guest;
  }
  return std::nullopt;
}

}  // namespace vmr
