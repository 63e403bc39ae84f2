// SPDX-License-Identifier: MIT
// What the programs that we start find in their environment.
#pragma once

#include <string>
#include <vector>

namespace vmr {

/// A copy of our environment for a program that works in another folder.
class ChildEnvironment {
 public:
  /// Leaves out what is for the launcher alone (the guest's password, the words with systemd), and
  /// makes the folders absolute that the variables for temporary files and libraries name. TMPDIR
  /// is `temporary_folder`, unless that is empty.
  explicit ChildEnvironment(const std::string& temporary_folder = {});

  /// "NAME=value" each, a null pointer at the end; valid as long as this is.
  [[nodiscard]] const char* const* entries() const { return pointers_.data(); }

 private:
  std::vector<std::string> made_;
  std::vector<const char*> pointers_;
};

}  // namespace vmr
