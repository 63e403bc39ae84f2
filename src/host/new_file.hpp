// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <string>

namespace vmr {

/// A new file beside `path`, mode 0600, that takes its place once it is whole; until then nobody
/// sees it, and it is removed again when this ends.
class NewFile {
 public:
  /// Throws std::system_error when the file cannot be made.
  explicit NewFile(std::string path);
  /// The same of `name` in the open `folder`, which has to stay open as long as this is there.
  NewFile(int folder, std::string name);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// To write to.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Throws std::system_error when `path` cannot be replaced.
  void replace_path();

 private:
  int folder_;
  std::string path_;       ///< from `folder_` on
  std::string temporary_;  ///< empty once it has replaced `path`
  UniqueFd fd_;
};

}  // namespace vmr
