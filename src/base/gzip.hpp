// SPDX-License-Identifier: MIT
// Reads gzip, as its own program and Python's module do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vmr {

struct Gunzipped {
  std::string bytes;
  bool is_cut = false;  ///< there is more than was asked for

  bool operator==(const Gunzipped&) const = default;
};

/// What `bytes` expand to, of which at most `limit` bytes are made. Several members are one text,
/// and zeros may follow them. None for what is no gzip, or damaged.
std::optional<Gunzipped> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace vmr
