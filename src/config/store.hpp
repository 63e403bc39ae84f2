// SPDX-License-Identifier: MIT
// How the text of a setting becomes the value of a field; used by the settings tables only.
#pragma once

#include "base/nearest.hpp"
#include "base/units.hpp"
#include "config/given.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"
#include "config/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vmr {

/// The text of a setting, as a source gave it.
using Text = Given<std::string>;

/// The class and the type of a member `Given<Type> Owner::*`.
template <typename Member>
struct Field;
template <typename Owner, typename Type>
struct Field<Given<Type> Owner::*> {
  using Target = Owner;
  using Value = Type;
};

template <typename Value>
inline constexpr ValueKind kind_of = ValueKind::text;
template <typename Value>
inline constexpr ValueKind kind_of<std::optional<Value>> = kind_of<Value>;
template <>
inline constexpr ValueKind kind_of<bool> = ValueKind::flag;
template <>
inline constexpr ValueKind kind_of<std::uint64_t> = ValueKind::number;
template <>
inline constexpr ValueKind kind_of<std::uint32_t> = ValueKind::mode;
template <>
inline constexpr ValueKind kind_of<std::chrono::milliseconds> = ValueKind::number;
template <>
inline constexpr ValueKind kind_of<SshForward> = ValueKind::number;
template <>
inline constexpr ValueKind kind_of<std::vector<std::string>> = ValueKind::words;

/// Stores what `parse` makes of the text in the field `Member`.
template <auto Member, auto parse, typename Target>
std::optional<Invalid> store_field(Target& target, const Text& text) {
  if (text.invalid) {
    (target.*Member).invalid = true;
    return std::nullopt;
  }
  if (text.value.empty()) {
    target.*Member = {{}, text.origin};
    return std::nullopt;
  }
  auto parsed = parse(text);
  if (auto* invalid = std::get_if<Invalid>(&parsed)) {
    (target.*Member).invalid = true;
    return std::move(*invalid);
  }
  target.*Member = {std::get<0>(std::move(parsed)), text.origin};
  return std::nullopt;
}

/// The Store of the field `Member`, whose text `parse` reads.
template <auto Member, auto parse,
          ValueKind kind = kind_of<typename Field<decltype(Member)>::Value>>
inline constexpr Store<typename Field<decltype(Member)>::Target> store = {
    store_field<Member, parse, typename Field<decltype(Member)>::Target>, kind};

template <typename Target>
std::optional<Invalid> refuse_text(Target&, const Text& text) {
  if (text.value.empty()) return std::nullopt;
  return Invalid{"not supported by this version yet", "leave it out"};
}

/// For settings of the contract that cannot be given yet.
template <typename Target>
inline constexpr Store<Target> refuse = {refuse_text<Target>};

inline Parsed<std::string> any_text(const Text& text) {
  return text.value;
}
inline Parsed<bool> boolean(const Text& text) {
  return parse_bool(text.value);
}

/// One of the words of `E`; refused in libvirt's words.
template <typename E>
Parsed<E> word(const Text& text) {
  std::vector<std::string_view> words;
  for (const auto& [candidate, value] : Words<E>::list) {
    if (candidate == text.value) return value;
    words.push_back(candidate);
  }
  std::string hint = fmt::format("one of: {}", fmt::join(words, ", "));
  if (const auto meant = nearest(text.value, words)) {
    hint = fmt::format("did you mean '{}'? {}", *meant, hint);
  }
  return Invalid{fmt::format("Invalid value for attribute '{}'", toml_key(text.origin.variable)),
                 hint};
}

}  // namespace vmr
