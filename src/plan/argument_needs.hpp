// SPDX-License-Identifier: MIT
// What an argument of a QEMU command line needs that another one must give.
#pragma once

#include "base/qemu_words.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace vmr {

/// The ids and buses of a command line, as far as it has been read.
class Givens {
 public:
  /// `machine`: QEMU's machine type, which brings buses of its own.
  explicit Givens(std::string_view machine);

  /// Takes note of what the option `name` with these keys gives to those behind it.
  void add(const std::string& name, const QemuKeys& keys);

  /// What the option needs and nothing before it gives, and what to do, as the end of a sentence:
  /// "there is no …; put … before it". Empty: nothing, or nothing that is known here. QEMU 7.2 and
  /// later end at such an option.
  [[nodiscard]] std::string find_missing(const std::string& name, const QemuKeys& keys,
                                         const std::string& value) const;

 private:
  std::string root_bus_;                              ///< "pcie.0"; empty: an unknown machine
  std::set<std::string_view> kinds_;                  ///< of buses: "USB", "SCSI", …
  std::map<std::string, std::set<std::string>> ids_;  ///< by option
};

}  // namespace vmr
