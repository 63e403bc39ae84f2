// SPDX-License-Identifier: MIT
// A user of QEMU's own that no other VM of this host has.
#pragma once

#include "base/unique_fd.hpp"

#include <cstdint>
#include <string>

namespace vmr {

/// Holds one of QEMU's own users for as long as this exists: a locked file of its number in the
/// folder ".users" of the runtime directory, which the kernel frees whatever the launcher dies of.
class UserReservation {
 public:
  /// Takes `wanted`, or the next one (after the last comes the first) that no other launcher holds
  /// and no process of this host is. Makes `directory` where it is missing. Throws Error.
  UserReservation(const std::string& directory, std::uint32_t wanted);
  ~UserReservation();
  UserReservation(const UserReservation&) = delete;
  UserReservation& operator=(const UserReservation&) = delete;

  [[nodiscard]] std::uint32_t number() const { return number_; }

 private:
  /// Opens the folder, which another launcher may remove just then.
  bool open_folder();
  /// Whether the number is ours from now on.
  bool take(std::uint32_t number);

  std::string directory_;
  UniqueFd folder_;
  UniqueFd lock_;
  std::uint32_t number_ = 0;
};

}  // namespace vmr
