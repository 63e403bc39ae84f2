// SPDX-License-Identifier: MIT
#pragma once

#include "host/process_security.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace vmr {

/// What the processes of a running VM may do: its launcher's, QEMU's and its helpers', whose
/// numbers are in the launcher's answer to `status`.
std::vector<ProcessSecurity> read_processes(const boost::json::object& status);

/// One row a process, below a line of headings. Pure.
std::string security_table(const std::vector<ProcessSecurity>& processes);

/// The same, one object each. Pure.
boost::json::array security_json(const std::vector<ProcessSecurity>& processes);

/// "uid 0, capabilities KILL, seccomp filter, no_new_privs, own namespaces mnt pid,
/// Landlock files truncate". Pure.
std::string describe(const ProcessSecurity& process);

}  // namespace vmr
