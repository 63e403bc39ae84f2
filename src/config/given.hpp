// SPDX-License-Identifier: MIT
// A value together with where the user said it.
#pragma once

#include <string>
#include <utility>

namespace vmr {

/// Where a value came from; later sources win over earlier ones.
enum class Source { default_value, file, environment, command_line };

struct Origin {
  Source source = Source::default_value;
  /// The variable a user would set for it ("FILESYSTEM2_ACCESSMODE").
  std::string variable;
  /// For a file: "vm.toml:12"; for the command line: the words used ("--set MEMORY=1G").
  std::string place;

  bool operator==(const Origin&) const = default;
};

/// "FILESYSTEM2_ACCESSMODE (environment)", "accessmode (vm.toml:12)", "MEMORY (--set MEMORY=1G)",
/// "MEMORY (default)".
std::string describe(const Origin& origin);

template <typename T>
struct Given {
  T value{};
  Origin origin;
  /// What was given is no value: `value` is the default, and rules that depend on it say nothing.
  bool invalid = false;

  [[nodiscard]] bool is_default() const { return origin.source == Source::default_value; }
  bool operator==(const Given&) const = default;
};

}  // namespace vmr
