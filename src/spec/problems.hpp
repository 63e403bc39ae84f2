// SPDX-License-Identifier: MIT
// How rules speak: problems about a given value, and whether a value was given at all.
#pragma once

#include "base/error.hpp"
#include "base/units.hpp"
#include "config/config.hpp"
#include "config/given.hpp"
#include "config/words.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

inline std::string value_text(const std::string& value) {
  return value;
}
inline std::string value_text(bool value) {
  return value ? "1" : "0";
}
/// "1000:1000"; empty for none.
inline std::string value_text(const std::optional<Owner>& owner) {
  return owner ? fmt::format("{}:{}", owner->uid, owner->gid) : std::string();
}
inline std::string value_text(const QemuUser& user) {
  if (user.kind == QemuUser::Kind::automatic) return "auto";
  if (user.kind == QemuUser::Kind::launcher) return "launcher";
  return value_text(std::optional<Owner>(user.given));
}
/// "127.0.0.1:2222", or the port alone.
inline std::string value_text(const SshForward& ssh) {
  return ssh.address.empty() ? fmt::format("{}", ssh.port)
                             : fmt::format("{}:{}", ssh.address, ssh.port);
}
template <typename E>
requires std::is_enum_v<E> std::string value_text(E value) {
  return std::string(word_for(value));
}
inline std::string value_text(const std::optional<std::uint64_t>& number) {
  return fmt::format("{}", number.value());
}
inline std::string value_text(const std::optional<std::uint32_t>& mode) {
  return fmt::format("{:04o}", mode.value());
}
template <typename E>
requires std::is_enum_v<E> std::string value_text(const std::optional<E>& value) {
  return value_text(value.value());
}

/// Collects what the rules find; one for a whole resolve().
struct Findings {
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  ///< what was chosen, for information

  /// Adds "VARIABLE='value': <reason>" with the value's origin.
  template <typename T>
  void refuse(const Given<T>& given, std::string_view reason, std::string hint,
              ExitStatus status = ExitStatus::usage) {
    problems.push_back(
        {fmt::format("{}='{}': {}", given.origin.variable, value_text(given.value), reason),
         describe(given.origin), std::move(hint), status});
  }
};

}  // namespace vmr
