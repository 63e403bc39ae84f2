// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"

namespace vmr {

ExitStatus command_config(const Arguments& /*arguments*/,
                          const std::vector<std::string>& /*environment*/) {
  throw Error("config: not made yet", "", "");
}

}  // namespace vmr
