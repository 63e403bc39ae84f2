// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstring>
#include <sched.h>
#include <string>
#include <sys/mount.h>

namespace vmr::test {

/// A folder bound read-only over itself, in a mount namespace of this process.
class ReadOnlyMount {
 public:
  explicit ReadOnlyMount(std::string folder) : folder_(std::move(folder)) {
    const auto* path = folder_.c_str();
    works_ = ::unshare(CLONE_NEWNS) == 0 &&
             ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             ::mount(path, path, nullptr, MS_BIND, nullptr) == 0 &&
             ::mount(path, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    if (!works_) reason_ = std::strerror(errno);
  }
  ~ReadOnlyMount() { ::umount2(folder_.c_str(), MNT_DETACH); }
  ReadOnlyMount(const ReadOnlyMount&) = delete;
  ReadOnlyMount& operator=(const ReadOnlyMount&) = delete;

  [[nodiscard]] bool works() const { return works_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::string folder_;
  bool works_ = false;
  std::string reason_;
};

}  // namespace vmr::test
