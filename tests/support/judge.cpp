// SPDX-License-Identifier: MIT
#include "support/judge.hpp"

#include "base/printable.hpp"
#include "config/load.hpp"

#include <stdexcept>

namespace vmr::test {

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  for (const auto& problem : verdict.problems) {
    out << "\n" << format(problem) << "  status: " << static_cast<int>(problem.status);
  }
  for (const auto& warning : verdict.warnings) out << "\nwarning: " << warning;
  return out << "\n";
}

std::ostream& operator<<(std::ostream& out, const Argv& argv) {
  for (const auto& word : argv.words) out << "\n" << on_one_line(word);
  return out << "\n";
}

Resolved resolve_settings(const Strings& environment, const Host& host, const std::string& toml) {
  auto loaded = load_config({}, environment, {"vm.toml", toml});
  auto resolved = resolve(loaded.config, host);
  resolved.problems.insert(resolved.problems.begin(), loaded.problems.begin(),
                           loaded.problems.end());
  resolved.warnings.insert(resolved.warnings.begin(), loaded.warnings.begin(),
                           loaded.warnings.end());
  return resolved;
}

Verdict judge(const Strings& environment, const Host& host, const std::string& toml) {
  auto resolved = resolve_settings(environment, host, toml);
  return {std::move(resolved.problems), std::move(resolved.warnings)};
}

VmSpec spec_of(const Strings& environment, const Host& host, const std::string& toml) {
  auto resolved = resolve_settings(environment, host, toml);
  if (!resolved.problems.empty()) throw std::runtime_error(format(resolved.problems.front()));
  return std::move(resolved.spec);
}

}  // namespace vmr::test
