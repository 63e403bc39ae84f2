// SPDX-License-Identifier: MIT
#pragma once

#include "run/control_client.hpp"

namespace vmr {

/// Joins our standard streams to those of the command that the launcher's answer to `exec` tells
/// of, until it is over; nothing that it wrote until then is lost. What it left running in the
/// guest is waited for as long as it writes, and one second. Returns its exit status, or 128 plus
/// the number of the signal that ended this here: SIGPIPE when an output has no reader any more, or
/// the third SIGINT, SIGTERM or SIGHUP; the first two are the command's. Throws Error when it is
/// cut off.
int follow_command(ControlReply reply);

}  // namespace vmr
