// SPDX-License-Identifier: MIT
#include "host/open_path.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace vmr {
namespace {

constexpr int flags = O_PATH | O_CLOEXEC;

/// For a kernel, or a container, without openat2(2): what was opened says by which way it is.
int open_and_compare(const std::string& path) {
  UniqueFd file(::open(path.c_str(), flags));
  if (!file) return -1;
  std::error_code error;
  const auto real =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file.get()), error);
  if (error || real != path) {
    errno = ELOOP;
    return -1;
  }
  return file.release();
}

int open_without_links(const std::string& path) {
  open_how how{};
  how.flags = flags;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const auto file = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (file < 0 && (errno == ENOSYS || errno == EPERM)) return open_and_compare(path);
  return static_cast<int>(file);
}

}  // namespace

UniqueFd open_path(const std::string& path, bool follow_links) {
  UniqueFd file(follow_links ? ::open(path.c_str(), flags) : open_without_links(path));
  if (file) return file;
  if (errno == ELOOP && !follow_links) {
    throw Error(fmt::format("'{}' is not what it was a moment ago", path),
                "a symbolic link has come into its way",
                "let nobody change the folders that lead to it, and start again",
                ExitStatus::host_unsupported);
  }
  throw Error(fmt::format("'{}' cannot be opened", path), std::strerror(errno), "",
              ExitStatus::host_unsupported);
}

}  // namespace vmr
