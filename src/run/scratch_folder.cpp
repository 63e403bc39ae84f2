// SPDX-License-Identifier: MIT
#include "run/scratch_folder.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vmr {
namespace {

/// Gives `user` the folder that was made at `path`, and nothing that somebody put in its place;
/// false: errno says why not.
bool give_folder(const std::string& path, const Owner& user) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!folder || ::fstat(folder.get(), &facts) != 0) return false;
  if (facts.st_uid != ::geteuid() || (facts.st_mode & 0777) != S_IRWXU) {
    errno = EPERM;
    return false;
  }
  return ::fchown(folder.get(), user.uid, user.gid) == 0;
}

}  // namespace

ScratchFolder::ScratchFolder(const std::string& parent, const std::optional<Owner>& user)
    : path_(parent + "/vm-runner-XXXXXX") {
  const auto fail = [&] {
    throw Error(fmt::format("there can be no folder for the disk's changes in {}", parent),
                std::strerror(errno),
                "set TMPDIR to a folder that can be written, or keep the changes with PERSIST=1",
                ExitStatus::host_unsupported);
  };
  if (::mkdtemp(path_.data()) == nullptr) fail();
  if (!user || give_folder(path_, *user)) return;
  const int failure = errno;
  ::rmdir(path_.c_str());
  errno = failure;
  fail();
}

ScratchFolder::~ScratchFolder() {
  // QEMU removes its files as soon as it has them open, unless it ended between the two.
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vmr
