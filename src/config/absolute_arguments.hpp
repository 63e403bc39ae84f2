// SPDX-License-Identifier: MIT
// The user's own QEMU arguments for a QEMU that works in another folder than the user.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vmr {

struct AbsoluteArguments {
  std::vector<std::string> words;
  /// The options ("-readconfig") that may name files in ways that only QEMU or another
  /// program reads: with one of them QEMU needs the user's working folder.
  std::vector<std::string> unread;
  /// Every file, folder, socket and device that is named, absolute. Of what QEMU also looks for
  /// among its own data, the one that it would open first.
  std::vector<std::string> paths{};

  bool operator==(const AbsoluteArguments&) const = default;
};

/// `words` with every relative path starting at `working_folder`, and nothing else changed. What
/// QEMU also looks for among its own data (-bios, romfile=) is a path only if `is_there` says so of
/// the absolute one. Pure but for that. Source: QEMU's documentation of its invocation, 7.2 to 10.
AbsoluteArguments make_absolute(const std::vector<std::string>& words,
                                const std::string& working_folder,
                                const std::function<bool(const std::string&)>& is_there);

}  // namespace vmr
