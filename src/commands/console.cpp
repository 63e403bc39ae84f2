// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "run/console_client.hpp"
#include "run/json_session.hpp"
#include "run/terminal.hpp"

#include <csignal>
#include <utility>

namespace vmr {

ExitStatus command_console(const Arguments& arguments,
                           const std::vector<std::string>& environment) {
  const auto address = find_control(arguments, environment);
  auto reply = ask_launcher(address, {{"request", "console"}});
  if (has_keyboard()) {
    log_info("The console of VM '{}' is here; Ctrl-] three times leaves it, and the VM goes on",
             address.vm_name);
  }
  const auto kept = static_cast<std::size_t>(number_at(reply.result, "kept", 0));
  const auto end = visit_console(std::move(reply.connection), kept);
  switch (end.reason) {
    case VisitEnd::Reason::left:
      log_info("The console was left; VM '{}' goes on", address.vm_name);
      break;
    case VisitEnd::Reason::vm_ended:
      log_info("VM '{}' has ended", address.vm_name);
      break;
    case VisitEnd::Reason::signal:
      std::raise(end.signal);
      break;
    case VisitEnd::Reason::output_closed:
      break;
  }
  return ExitStatus::ok;
}

}  // namespace vmr
