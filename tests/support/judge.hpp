// SPDX-License-Identifier: MIT
// From settings to what the rules say, and values that doctest can print.
#pragma once

#include "base/error.hpp"
#include "host/host.hpp"
#include "spec/vm_spec.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace vmr::test {

using Strings = std::vector<std::string>;

/// Everything that was wrong with a configuration.
struct Verdict {
  std::vector<Problem> problems;
  Strings warnings;

  bool operator==(const Verdict&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Verdict& verdict);

/// A command line, printed one argument a line.
struct Argv {
  Strings words;

  bool operator==(const Argv&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Argv& argv);

/// The configuration of these variables and this TOML text, read and checked against `host`;
/// problems and warnings of both steps.
Resolved resolve_settings(const Strings& environment, const Host& host,
                          const std::string& toml = {});

/// The same, without the spec.
Verdict judge(const Strings& environment, const Host& host, const std::string& toml = {});

/// The spec of settings that must be right.
VmSpec spec_of(const Strings& environment, const Host& host, const std::string& toml = {});

}  // namespace vmr::test
