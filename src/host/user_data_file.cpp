// SPDX-License-Identifier: MIT
#include "host/user_data_file.hpp"

#include "base/unique_fd.hpp"
#include "base/user_data_size.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr {
namespace {

/// What is not read, since it may have no end or wait for somebody; empty: a file of its own.
std::string what_is_no_file(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "it is a folder";
  if (S_ISFIFO(mode)) return "it is a FIFO, which is not read";
  if (S_ISSOCK(mode)) return "it is a socket, which is not read";
  return "it is a device, which is not read";
}

std::string size_text(std::size_t bytes) {
  constexpr std::size_t mebibyte = 1 << 20;
  return bytes < mebibyte ? fmt::format("{} bytes", bytes)
                          : fmt::format("{} MiB", bytes / mebibyte);
}

std::string read_file(const std::string& path, std::size_t largest, std::string& text) {
  struct stat facts {};
  // Before it is opened: opening a device may already do something.
  if (::stat(path.c_str(), &facts) != 0) return std::strerror(errno);
  if (auto reason = what_is_no_file(facts.st_mode); !reason.empty()) return reason;
  // Some files of /proc wait for what comes next.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::fstat(file.get(), &facts) != 0) return std::strerror(errno);
  if (auto reason = what_is_no_file(facts.st_mode); !reason.empty()) return reason;
  std::array<char, 65536> piece{};
  while (text.size() <= largest) {
    const auto size = ::read(file.get(), piece.data(), piece.size());
    if (size < 0) return std::strerror(errno);
    if (size == 0) return {};
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return fmt::format("it is larger than {}", size_text(largest));
}

}  // namespace

std::string read_user_data_file(const std::string& path, std::string& text) {
  return read_regular_file(path, largest_user_data, text);
}

std::string read_regular_file(const std::string& path, std::size_t largest, std::string& text) {
  auto problem = read_file(path, largest, text);
  if (!problem.empty()) text.clear();
  return problem;
}

}  // namespace vmr
