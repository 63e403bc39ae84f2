// SPDX-License-Identifier: MIT
#pragma once

#include "config/arguments.hpp"
#include "config/config.hpp"
#include "config/raw_settings.hpp"
#include "host/host.hpp"
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

/// Reads the configuration from everywhere, looks at the host and checks it all; logs the notes and
/// warnings. Throws InvalidConfig with every problem.
ResolvedVm resolve_vm(const Arguments& arguments, const std::vector<std::string>& environment);

/// The control socket of the VM that the configuration names; nothing else of it is looked at.
ControlAddress find_control(const Arguments& arguments,
                            const std::vector<std::string>& environment);

}  // namespace vmr
