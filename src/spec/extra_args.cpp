// SPDX-License-Identifier: MIT
#include "spec/extra_args.hpp"

#include "base/qemu_words.hpp"
#include "config/secrets.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace vmr {
namespace {

bool has_daemonize(const std::vector<std::string>& words) {
  const auto options = split_options(words);
  return std::any_of(options.begin(), options.end(),
                     [](const auto& option) { return option.name == "daemonize"; });
}

void refuse_daemonize(const std::string& subject, const std::string& origin, Findings& findings) {
  findings.problems.push_back(
      {subject + ": with '-daemonize' QEMU would leave vm-runner, which looks after it", origin,
       "leave it out; to have the terminal back, start vm-runner itself in the background"});
}

/// QEMU's arguments are in the list of processes, which we cannot change.
void warn_of_secrets(const std::vector<std::string>& words, const std::string& origin,
                     Findings& findings) {
  for (const auto& word : words) {
    if (!has_secret(word)) continue;
    findings.warnings.push_back(
        fmt::format("{}: '{}': every user of this machine can read it in QEMU's command line; give "
                    "it in a file of mode 0600 (-object secret,id=ID,file=FILE)",
                    origin, without_secrets(word)));
  }
}

}  // namespace

void check_extra_args(const Config& config, Findings& findings) {
  const auto& extra = config.extra_args;
  if (has_daemonize(extra.value)) {
    refuse_daemonize(extra.origin.variable, describe(extra.origin), findings);
  }
  const std::string behind = "behind -- (command line)";
  if (has_daemonize(config.qemu_args)) refuse_daemonize("QEMU arguments", behind, findings);
  warn_of_secrets(extra.value, describe(extra.origin), findings);
  warn_of_secrets(config.qemu_args, behind, findings);
}

}  // namespace vmr
