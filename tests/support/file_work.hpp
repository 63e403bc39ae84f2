// SPDX-License-Identifier: MIT
// The host's half of tests/guest/file_work.py: what programs do with files, in a share.
#pragma once

#include "base/unique_fd.hpp"
#include "build_paths.hpp"
#include "support/observed_table.hpp"

#include <string>
#include <vector>

namespace vmr::test {

/// The folder of the program that runs in the guest, shared as `tools`, and that tag.
constexpr auto file_work_tools = SOURCE_FOLDER "/tests/guest";
constexpr auto file_work_tools_tag = "tools";

/// Whether the jobs with thousands of files are done too, which take minutes under emulation.
enum class Trees { no, yes };

/// A folder to share: filled with what the jobs need, and two of its files locked, for as long as
/// this exists.
class FileWork {
 public:
  FileWork(std::string folder, Trees trees);

  /// What each job that was done came to, once the guest is off: "ok", or what the guest, or the
  /// host in what was left behind, found wrong.
  [[nodiscard]] ObservedColumn results() const;

 private:
  std::string folder_;
  UniqueFd flock_;
  UniqueFd lockf_;
};

/// User-data of a Debian guest: does the jobs in the shares with these tags, one share after the
/// other, and powers off.
std::string file_work_user_data(const std::vector<std::string>& tags);

}  // namespace vmr::test
