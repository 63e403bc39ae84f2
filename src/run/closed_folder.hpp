// SPDX-License-Identifier: MIT
// A folder in which a file is made beside what others may write to.
#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace vmr {

/// The folder `name` in the open folder `parent`, made where it is not there, of this user and of
/// mode 0700: what is in it nobody else can put there or replace, and by its descriptor it stays
/// the same folder whatever `name` becomes. Removed with this object where it is empty then.
class ClosedFolder {
 public:
  /// A file of this name, which an earlier version left, is removed. Throws std::system_error when
  /// there is a folder of another user, or one that is open to others. `parent` has to stay open.
  ClosedFolder(int parent, std::string name);
  ~ClosedFolder();
  ClosedFolder(const ClosedFolder&) = delete;
  ClosedFolder& operator=(const ClosedFolder&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  int parent_;
  std::string name_;
  UniqueFd fd_;
};

}  // namespace vmr
