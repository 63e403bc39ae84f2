// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "base/units.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace vmr {

/// The folder of one running VM: made 0700, locked for as long as this exists, then removed with
/// everything in it. What a killed launcher left behind is cleared first.
class RuntimeFolder {
 public:
  /// Throws Error when another launcher holds it (naming its pid where the system tells) or when
  /// it cannot be made.
  RuntimeFolder(std::string path, const std::string& vm_name);
  ~RuntimeFolder();
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd lock_;
};

/// Why the VM `vm_name` could not have its RuntimeFolder at `path` now, as far as what is there
/// tells; changes and locks nothing. A VM that only starts counts as running.
std::optional<Problem> find_folder_problem(const std::string& path, const std::string& vm_name);

/// Throws the same Error as RuntimeFolder when a launcher holds the folder `path`, as far as the
/// system tells; changes and locks nothing.
void refuse_if_running(const std::string& path, const std::string& vm_name);

/// A listening UNIX socket at `path`, mode 0600, close-on-exec; its file is `owner`'s, or ours.
/// Throws Error. Who watches the folder with inotify sees the file being made, and its times
/// change once it takes connections.
UniqueFd listen_at(const std::string& path, std::optional<Owner> owner = std::nullopt);

/// A non-blocking connection to the socket at `path`, close-on-exec. Throws Error.
UniqueFd connect_to(const std::string& path);

/// A blocking connection to the socket at `path`, close-on-exec; one whose queue is full is waited
/// for, at most for `timeout`. None when that is over or it cannot be made, with the reason in
/// errno.
UniqueFd connect_within(const std::string& path, std::chrono::milliseconds timeout);

}  // namespace vmr
