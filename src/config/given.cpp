// SPDX-License-Identifier: MIT
#include "config/given.hpp"

#include "config/variables.hpp"

#include <fmt/format.h>

namespace vmr {

std::string describe(const Origin& origin) {
  switch (origin.source) {
    case Source::default_value:
      return fmt::format("{} (default)", origin.variable);
    case Source::file:
      return fmt::format("{} ({})", toml_key(origin.variable), origin.place);
    case Source::environment:
      return fmt::format("{} (environment)", origin.variable);
    case Source::command_line:
      return fmt::format("{} ({})", origin.variable, origin.place);
  }
  return origin.variable;
}

}  // namespace vmr
