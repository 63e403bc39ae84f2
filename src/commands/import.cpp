// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"

namespace vmr {

ExitStatus command_import(const Arguments& /*arguments*/) {
  throw Error("import: not made yet", "", "");
}

}  // namespace vmr
