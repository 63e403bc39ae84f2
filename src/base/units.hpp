// SPDX-License-Identifier: MIT
// Values as users write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vmr {

/// Why a text is not a value: `message` continues "KEY='text': ", `hint` says what would be one.
struct Invalid {
  std::string message;
  std::string hint;

  bool operator==(const Invalid&) const = default;
};

/// A value, or why the text is none.
template <typename T>
using Parsed = std::variant<T, Invalid>;

/// "1 true yes on" / "0 false no off", in any case.
Parsed<bool> parse_bool(std::string_view text);

/// A whole number from `lowest` to `highest`, decimal digits only.
Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t lowest,
                                   std::uint64_t highest);

/// Octal permission bits, 0 to 0777, with or without a leading 0 or TOML's 0o.
Parsed<std::uint32_t> parse_octal_mode(std::string_view text);

/// An owner of files, as numbers.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  bool operator==(const Owner&) const = default;
};

/// "uid:gid", decimal; the highest number is not an id.
Parsed<Owner> parse_owner(std::string_view text);

/// An amount of memory in MiB: "2048" is MiB; "2G", "2GiB", "512M", "1048576K" have a unit (K, M, G
/// or T in any case, with or without "B" or "iB": powers of 1024). Less than 1 MiB, or a part of
/// one, is invalid.
Parsed<std::uint64_t> parse_mebibytes(std::string_view text);

/// A duration in seconds, whole or with up to three decimals ("8", "0.5"), at most a day.
Parsed<std::chrono::milliseconds> parse_seconds(std::string_view text);

}  // namespace vmr
