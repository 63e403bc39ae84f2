// SPDX-License-Identifier: MIT
// Quotes, blanks and carriage returns around a value, which `docker --env-file` and files of
// Windows leave there.
#pragma once

#include "base/error.hpp"
#include "base/units.hpp"
#include "config/given.hpp"
#include "config/variables.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vmr {

/// What stands around a value though it was hardly meant.
struct Wrapping {
  std::string what;              ///< "quotes around it", for people
  std::string bare;              ///< the value without; may be empty
  bool carriage_return = false;  ///< one is among them

  bool operator==(const Wrapping&) const = default;
};

/// That of `value`, as far as a value of this kind does not have it by right: blanks mean nothing
/// in command lines and keys, and a word in quotes may be one of a command line.
std::optional<Wrapping> find_wrapping(std::string_view value, ValueKind kind);

/// Says that the text of a setting has `wrapping`, and what to write instead: in full, or in
/// general for one that is not to be shown.
Invalid refusal_of(const Wrapping& wrapping, const Origin& origin, bool is_shown = true);

}  // namespace vmr
