// SPDX-License-Identifier: MIT
#include "run/scratch_folder.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace vmr {

ScratchFolder::ScratchFolder(const std::string& parent, const std::optional<Owner>& user)
    : path_(parent + "/vm-runner-XXXXXX") {
  const auto fail = [&] {
    throw Error(fmt::format("there can be no folder for the disk's changes in {}", parent),
                std::strerror(errno),
                "set TMPDIR to a folder that can be written, or keep the changes with PERSIST=1",
                ExitStatus::host_unsupported);
  };
  if (::mkdtemp(path_.data()) == nullptr) fail();
  if (user && ::lchown(path_.c_str(), user->uid, user->gid) != 0) {
    const int failure = errno;
    ::rmdir(path_.c_str());
    errno = failure;
    fail();
  }
}

ScratchFolder::~ScratchFolder() {
  // QEMU removes its files as soon as it has them open, unless it ended between the two.
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vmr
