// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <string>

namespace vmr {

/// What the launcher still does once the machine runs.
struct LockdownNeeds {
  bool starts_helpers = false;     ///< for shares that are added
  bool serves_other_user = false;  ///< QEMU is another user, who gets sockets
};

/// Takes from this process, for ever, what it does not need any more: capabilities, new
/// privileges, and all system calls but those it makes. At most one at a time.
class Lockdown {
 public:
  using OnRefused = std::function<void(const std::string& call)>;

  /// `on_refused` is told the name of a system call that was made all the same, and failed. Throws
  /// Error.
  Lockdown(const boost::asio::any_io_executor& executor, const LockdownNeeds& needs,
           OnRefused on_refused);

 private:
  void watch();

  boost::asio::posix::stream_descriptor refused_;
  OnRefused on_refused_;
  int number_ = 0;
};

}  // namespace vmr
