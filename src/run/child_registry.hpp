// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <set>
#include <sys/types.h>

namespace vmr {

/// The processes that somebody here will wait for, so that the Reaper leaves them alone. One for
/// the whole program, as waiting is; used on one thread.
class ChildRegistry {
 public:
  using OnReaped = std::function<void()>;

  static ChildRegistry& instance() {
    static ChildRegistry registry;
    return registry;
  }

  void add(pid_t pid) { pids_.insert(pid); }

  /// `pid` has been waited for.
  void remove(pid_t pid) {
    pids_.erase(pid);
    if (on_reaped_) on_reaped_();
  }

  [[nodiscard]] bool contains(pid_t pid) const { return pids_.count(pid) != 0; }

  /// `on_reaped` is called after each `remove`; an empty one ends that.
  void set_on_reaped(OnReaped on_reaped) { on_reaped_ = std::move(on_reaped); }

 private:
  std::set<pid_t> pids_;
  OnReaped on_reaped_;
};

}  // namespace vmr
