// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "plan/exec_script.hpp"
#include "run/exec_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vmr {

int command_exec(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto address = find_control(arguments, environment);
  auto words = arguments.qemu_args;
  std::transform(words.begin(), words.end(), words.begin(), shell_quote_ascii);
  const auto command = fmt::format("{}", fmt::join(words, " "));
  check_exec_command(command);
  // The launcher itself knows how long to wait for the guest.
  return follow_command(
      ask_launcher(address, {{"request", "exec"}, {"command", command}}, Patience::for_ever));
}

}  // namespace vmr
