// SPDX-License-Identifier: MIT
// A folder of its own for QEMU's temporary files: nothing else in theirs is within its reach.
#pragma once

#include "base/units.hpp"

#include <optional>
#include <string>

namespace vmr {

/// A new folder of mode 0700 in `parent`, of `user` or of this one; removed with this object.
/// Throws Error when it cannot be made.
class ScratchFolder {
 public:
  ScratchFolder(const std::string& parent, const std::optional<Owner>& user);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vmr
