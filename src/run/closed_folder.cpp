// SPDX-License-Identifier: MIT
#include "run/closed_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vmr {

ClosedFolder::ClosedFolder(int parent, std::string name) : parent_(parent), name_(std::move(name)) {
  ::unlinkat(parent_, name_.c_str(), 0);
  if (::mkdirat(parent_, name_.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    throw std::system_error(errno, std::generic_category());
  }
  fd_.reset(::openat(parent_, name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!fd_ || ::fstat(fd_.get(), &facts) != 0) {
    throw std::system_error(errno, std::generic_category());
  }
  const bool is_ours = facts.st_uid == ::geteuid() && (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (!is_ours) throw std::system_error(EPERM, std::generic_category());
}

ClosedFolder::~ClosedFolder() {
  ::unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
}

}  // namespace vmr
