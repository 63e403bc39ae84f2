// SPDX-License-Identifier: MIT
// Tags and mount folders for shares, no two of them the same.
#pragma once

#include "config/words.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The names that are in use so far.
class ShareNames {
 public:
  /// `extra_args`: QEMU's own arguments, whose tags are taken.
  explicit ShareNames(const std::vector<std::string>& extra_args);

  /// `asked`, or the tag nearest to it that a share with this driver can have and no other has.
  /// Sets `objection` where that is another one.
  std::string settle_tag(std::string_view asked, Driver driver);

  /// The folder of /mnt for the share of this tag, which no other has.
  std::string settle_mount(const std::string& tag, int share);

  std::string objection;  ///< to the last tag that was asked for

 private:
  std::set<std::string> tags_;
  std::set<std::string> mounts_;
};

}  // namespace vmr
