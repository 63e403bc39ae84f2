// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.hpp"
#include "config/arguments.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "config/raw_settings.hpp"
#include "host/host.hpp"
#include "plan/extra_args.hpp"
#include "run/control_client.hpp"
#include "spec/vm_spec.hpp"

#include <string>
#include <vector>

namespace vmr {

/// A checked VM and what it was made of.
struct ResolvedVm {
  Config config;
  GivenTexts given;  ///< what it was made of
  Host host;
  VmSpec spec;
};

/// A VM as far as it could be made out, and all that is wrong with it.
struct ExaminedVm {
  ResolvedVm vm;  ///< its spec is meaningful only without problems; its shares as far as known
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
  std::vector<Collision> collisions;  ///< of the user's own QEMU arguments with ours
};

/// Checks what was read against `host`. Pure.
ExaminedVm examine(LoadedConfig loaded, Host host);

/// Reads the configuration from everywhere and checks it against this host. Throws Error only when
/// the file cannot be read.
ExaminedVm examine_vm(const Arguments& arguments, const std::vector<std::string>& environment);

/// Logs the notes and warnings.
void log_findings(const ExaminedVm& examined);

/// What keeps a valid VM from being started, though it can be printed. Pure.
std::vector<Problem> start_problems(const ResolvedVm& vm);

/// The same, with the findings logged; throws InvalidConfig with every problem.
ResolvedVm resolve_vm(const Arguments& arguments, const std::vector<std::string>& environment);

/// The control socket of the VM that the configuration names; nothing else of it is looked at.
ControlAddress find_control(const Arguments& arguments,
                            const std::vector<std::string>& environment);

}  // namespace vmr
