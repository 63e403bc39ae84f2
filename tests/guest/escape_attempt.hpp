// SPDX-License-Identifier: MIT
// One share that the guest's root tries to get out of.
#pragma once

#include "support/escape_tricks.hpp"

#include <iostream>
#include <string>
#include <string_view>

namespace vmr::guest {

struct Attempt {
  std::string tag;
  std::string below;    ///< the folder below the share's root to get out of; "" for that root
  std::string outside;  ///< where the host has the canaries, as an absolute path of the host

  [[nodiscard]] std::string base() const { return "/mnt/" + tag + below; }
  /// The folder of a trick's canary, from base() and from the host's root.
  [[nodiscard]] static std::string relative(std::size_t number) {
    return "../" + std::string(test::outside_folder) + "/" + std::to_string(number);
  }
  [[nodiscard]] std::string absolute(std::size_t number) const {
    return outside + "/" + std::to_string(number);
  }

  /// Tells the test on the host, in one line.
  void say(std::size_t number, std::string text) const {
    for (auto& c : text) {
      if (c < ' ' || c > '~') c = '.';
    }
    std::cout << test::trick_mark(tag, number) << text << std::endl;
  }
};

/// Through the guest's kernel, in the mounted share. Afterwards it is unmounted.
void try_system_calls(const Attempt& attempt);
/// Makes what a process of the host could fall into.
void leave_behind(const Attempt& attempt);
/// Without the kernel, with the share's device at `address`.
void try_raw_messages(const Attempt& attempt, const std::string& driver,
                      const std::string& address);

}  // namespace vmr::guest
