// SPDX-License-Identifier: MIT
// What `doctor` finds beside the hosts of hosts.hpp, and what it makes of that.
#pragma once

#include "commands/doctor_report.hpp"
#include "host/doctor_facts.hpp"
#include "host/host.hpp"
#include "support/judge.hpp"

#include <string>

namespace vmr::test {

/// In a container of docker_host(): Docker's default capabilities and filter, a KVM that works.
DoctorFacts docker_facts();

/// On the Debian 12 machine of debian_12_host(), with Intel's virtualization.
DoctorFacts debian_12_facts();

/// What the user of ordinary_user() finds on a machine with AMD's.
DoctorFacts ordinary_user_facts();

/// What `doctor` makes of these variables on `host`.
Report report_of(const Strings& settings, const Host& host, const DoctorFacts& facts);

/// "warn KVM: EVIDENCE -> FIX" of each check of `area` whose name is `name`, or of all.
Strings checks_of(const Report& report, const std::string& area, const std::string& name = {});

/// "machine KVM: EVIDENCE -> FIX" of each check that failed.
Strings failures_of(const Report& report);

/// The exit status, as a number.
int status_of(const Report& report);

}  // namespace vmr::test
