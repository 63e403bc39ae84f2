// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"

namespace vmr {

ExitStatus command_doctor(const Arguments& /*arguments*/,
                          const std::vector<std::string>& /*environment*/) {
  throw Error("doctor: not made yet", "", "");
}

}  // namespace vmr
