// SPDX-License-Identifier: MIT
// A MIME message taken apart as Python's email module does it, which is what cloud-init uses.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmr {

/// What is in a message; containers are not among them.
struct MimePart {
  std::string type;  ///< "text/cloud-config"; text/plain where none is named
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< decoded

  bool operator==(const MimePart&) const = default;
};

/// The value of the header `name`, in whatever case; the first counts. Empty: none.
std::string header_of(const MimePart& part, std::string_view name);

/// Every part of `text`, in order. A text without a header is one part.
std::vector<MimePart> read_mime_message(std::string_view text);

}  // namespace vmr
