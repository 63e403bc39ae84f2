// SPDX-License-Identifier: MIT
// The guest.toml of a guest's folder: what it boots.
#pragma once

#include "base/error.hpp"
#include "config/given.hpp"
#include "config/words.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Fields are empty where the file does not set them. An origin's place is "/guest/guest.toml:3".
struct GuestToml {
  Given<std::string> name;
  Given<std::string> kernel;  ///< paths, as they are written
  Given<std::string> initrd;
  Given<std::string> disk;
  Given<std::string> cmdline;
  Given<std::string> login_user;
  Given<std::string> digest;         ///< of the disk's contents, from whoever made it
  Given<Architecture> architecture;  ///< automatic: not said
  std::vector<Problem> problems;     ///< without any, the rest is meaningful
};

/// Reads the `text` of the file that is called `name` in origins. Every fault is a problem: a key
/// that is not known, a value of another type, a word that means nothing.
GuestToml read_guest_toml(std::string_view text, const std::string& name);

}  // namespace vmr
