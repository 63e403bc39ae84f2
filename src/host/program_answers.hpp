// SPDX-License-Identifier: MIT
// What programs tell of themselves, asked once.
#pragma once

#include "host/capture.hpp"

#include <string>

namespace vmr {

/// Where answers are kept between runs. Each is used only while it is this user's or root's, nobody
/// else could have written it, and the program has the size and the time of change that it had;
/// that a library of it has changed is not seen. All of it may vanish at any time: then programs
/// are asked again.
class ProgramAnswers {
 public:
  /// In $XDG_CACHE_HOME, or in ~/.cache of `home`; what an image has brought along is in
  /// /var/cache.
  explicit ProgramAnswers(const std::string& home);

  /// What `program` (an absolute path) prints when asked with `option`, such as "--help". Only what
  /// a program that is no script says with success is kept.
  Captured ask(const std::string& program, const std::string& option) const;

  /// Drops what this user has kept, so that programs are asked again.
  void forget() const;

 private:
  std::string cache_;  ///< the user's cache folder; need not exist; empty: there is none
};

}  // namespace vmr
