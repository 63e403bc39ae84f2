// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

std::string doubled_commas(std::string_view value) {
  std::string quoted;
  for (const char c : value) {
    if (c == ',') quoted += ',';
    quoted += c;
  }
  return quoted;
}

}  // namespace

QemuOption::QemuOption(std::string_view first) : text_(doubled_commas(first)) {}

QemuOption& QemuOption::set(std::string_view key, std::string_view value) {
  text_ += fmt::format(",{}={}", key, doubled_commas(value));
  return *this;
}

QemuOption& QemuOption::set(std::string_view key, std::uint64_t value) {
  return set(key, std::to_string(value));
}

}  // namespace vmr
