// SPDX-License-Identifier: MIT
#include "plan/seed.hpp"

#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/resolved_vm.hpp"
#include "run/seed_image.hpp"

namespace vmr {

ExitStatus command_seed(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto vm = resolve_vm(arguments, environment);
  if (!vm.spec.cloud_init) {
    throw Error("there is no seed to write", "CLOUD_INIT is off", "set CLOUD_INIT=1",
                ExitStatus::usage);
  }
  write_seed_image(make_seed(vm.spec), arguments.output);
  if (!vm.spec.generated_password.empty()) {
    log_info("The password is {} (made for this seed; set GUEST_PASSWORD or SSH_PUBKEY to choose)",
             vm.spec.generated_password);
  }
  return ExitStatus::ok;
}

}  // namespace vmr
