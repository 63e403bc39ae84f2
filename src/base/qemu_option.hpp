// SPDX-License-Identifier: MIT
// The one place that quotes QEMU option values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vmr {

/// Builds "driver,key=value,…" as QEMU's option parser reads it: a comma in a value is doubled.
class QemuOption {
 public:
  explicit QemuOption(std::string_view first);

  QemuOption& set(std::string_view key, std::string_view value);
  QemuOption& set(std::string_view key, std::uint64_t value);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace vmr
