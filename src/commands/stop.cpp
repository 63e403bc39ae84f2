// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "run/json_session.hpp"

namespace vmr {

ExitStatus command_stop(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto address = find_control(arguments, environment);
  const auto reply =
      ask_launcher(address, {{"request", "stop"}, {"now", arguments.now}}, Patience::for_ever);
  return static_cast<ExitStatus>(
      number_at(reply.result, "status", static_cast<int>(ExitStatus::failed)));
}

}  // namespace vmr
