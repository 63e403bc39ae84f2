// SPDX-License-Identifier: MIT
// What cloud-init finds in user-data before it knows what any of it means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// How cloud-init tells what user-data is, for people.
inline constexpr std::string_view user_data_beginnings =
    "#cloud-config, #!, #include, #include-once, #cloud-boothook, #part-handler, "
    "#cloud-config-archive, #cloud-config-jsonp, '## template: jinja', or the headers of a MIME "
    "message with MIME-Version:";

struct UserDataPart {
  std::string name;        ///< for people: a file name, or "part 2"; empty: it is the only one
  std::string type;        ///< "text/cloud-config"
  std::string merge_type;  ///< "dict(replace)+list()"; empty: none
  std::string text;

  bool operator==(const UserDataPart&) const = default;
};

struct UserDataParts {
  std::vector<UserDataPart> parts;
  bool is_too_large = false;     ///< once it is expanded
  bool has_bad_message = false;  ///< a MIME message that is not UTF-8, at which cloud-init ends

  bool operator==(const UserDataParts&) const = default;
};

/// Whether cloud-init does something with parts of this type.
bool is_handled_type(std::string_view type);

/// The parts of `bytes` in the order in which cloud-init takes them: out of gzip, MIME messages and
/// archives. What is included from elsewhere is a part of its own type.
UserDataParts read_user_data_parts(const std::string& bytes);

/// The type that `text` has by its beginning; empty: cloud-init knows none.
std::string type_by_beginning(std::string_view text);

}  // namespace vmr
