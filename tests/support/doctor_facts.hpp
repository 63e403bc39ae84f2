// SPDX-License-Identifier: MIT
// What `doctor` finds beside the hosts of hosts.hpp.
#pragma once

#include "host/doctor_facts.hpp"

namespace vmr::test {

/// In a container of docker_host(): Docker's default capabilities and filter, a KVM that works.
DoctorFacts docker_facts();

/// On the Debian 12 machine of debian_12_host(), with Intel's virtualization.
DoctorFacts debian_12_facts();

/// What the user of ordinary_user() finds on a machine with AMD's.
DoctorFacts ordinary_user_facts();

}  // namespace vmr::test
