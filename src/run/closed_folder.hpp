// SPDX-License-Identifier: MIT
// A folder in which a file is made beside what others may write to.
#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace vmr {

/// The folder `path`, made where it is not there, of this user and of mode 0700: what is in it
/// nobody else can put there or replace, and by its descriptor it stays the same folder whatever
/// `path` becomes. Removed with this object where it is empty then.
class ClosedFolder {
 public:
  /// A file at `path`, which an earlier version left, is removed. Throws std::system_error when
  /// there is a folder of another user, or one that is open to others.
  explicit ClosedFolder(std::string path);
  ~ClosedFolder();
  ClosedFolder(const ClosedFolder&) = delete;
  ClosedFolder& operator=(const ClosedFolder&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace vmr
