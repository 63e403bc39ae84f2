// SPDX-License-Identifier: MIT
#include "spec/user_data_parts.hpp"

#include "base/ascii.hpp"
#include "base/gzip.hpp"
#include "base/user_data_size.hpp"
#include "base/utf8.hpp"
#include "spec/mime_message.hpp"
#include "spec/yaml_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace vmr {
namespace {

struct Beginning {
  std::string_view text;
  std::string_view type;
};

/// The longest first.
constexpr std::array<Beginning, 9> beginnings = {{
    {"#cloud-config-archive", "text/cloud-config-archive"},
    {"#cloud-config-jsonp", "text/cloud-config-jsonp"},
    {"## template: jinja", "text/jinja2"},
    {"#cloud-boothook", "text/cloud-boothook"},
    {"#cloud-config", "text/cloud-config"},
    {"#include-once", "text/x-include-once-url"},
    {"#part-handler", "text/part-handler"},
    {"#include", "text/x-include-url"},
    {"#!", "text/x-shellscript"},
}};

constexpr std::array<std::string_view, 8> gzip_types = {
    "application/gzip",       "application/gzip-compressed",  "application/gzipped",
    "application/x-compress", "application/x-compressed",     "application/x-gunzip",
    "application/x-gzip",     "application/x-gzip-compressed"};

template <typename List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Of an entry of an archive, whose other keys are headers.
std::string merge_type_of(const YamlValue& entry) {
  for (const auto* name : {"Merge-Type", "X-Merge-Type"}) {
    const auto* value = find_entry(entry, name);
    if (value != nullptr && !value->text.empty()) return value->text;
  }
  return {};
}

/// Here the case of the name counts.
std::string merge_type_of(const MimePart& part) {
  for (const std::string_view name : {"Merge-Type", "X-Merge-Type"}) {
    for (const auto& header : part.headers) {
      if (header.first == name && !header.second.empty()) return header.second;
    }
  }
  return {};
}

/// The name behind `filename=` in a Content-Disposition.
std::string file_name_of(const MimePart& part) {
  const auto value = header_of(part, "Content-Disposition");
  const auto start = ascii_lower(value).find("filename=");
  if (start == value.npos) return {};
  auto name = value.substr(start + 9);
  const bool is_quoted = name.starts_with('"');
  if (is_quoted) name.erase(0, 1);
  return name.substr(0, name.find(is_quoted ? '"' : ';'));
}

class Reader {
 public:
  UserDataParts read(const std::string& bytes) {
    auto text = bytes;
    if (auto expanded = expand(bytes)) text = std::move(*expanded);
    if (found_.is_too_large) return {{}, true, false};
    if (ascii_lower(std::string_view(text).substr(0, 4096)).find("mime-version:") == text.npos) {
      add_typed("text/x-not-multipart", std::move(text), {}, {});
    } else if (!is_utf8(text)) {
      found_.has_bad_message = true;
    } else {
      for (auto& part : read_mime_message(text)) add_mime(part);
    }
    if (found_.is_too_large) return {{}, true, false};
    return std::move(found_);
  }

 private:
  /// None: no gzip.
  std::optional<std::string> expand(const std::string& bytes) {
    auto expanded = gunzip(bytes, largest_user_data - expanded_);
    if (!expanded) return std::nullopt;
    expanded_ += expanded->bytes.size();
    if (expanded->is_cut) found_.is_too_large = true;
    return std::move(expanded->bytes);
  }

  void add_mime(MimePart& part) {
    auto type = part.type;
    if (contains(gzip_types, type)) {
      auto expanded = expand(part.body);
      if (!expanded) return;
      part.body = std::move(*expanded);
      type = "text/plain";
    }
    add_typed(type, std::move(part.body), merge_type_of(part), file_name_of(part));
  }

  /// Adds what has the type `type` unless its beginning says another.
  void add_typed(std::string type, std::string text, std::string merge_type, std::string name) {
    constexpr std::array<std::string_view, 3> open_types = {"text/plain", "text/x-not-multipart",
                                                            "text/x-shellscript"};
    if (contains(open_types, type)) {
      const auto found = type_by_beginning(text);
      if (!found.empty()) type = found;
    }
    if (type == "text/cloud-config-archive") {
      add_archive(text, std::move(name));
    } else {
      add({std::move(name), std::move(type), std::move(merge_type), std::move(text)});
    }
  }

  void add_archive(const std::string& text, std::string name) {
    const auto archive = read_yaml(text);
    if (!archive.problem.empty() || !archive.value.is_list()) {
      add({std::move(name), "text/cloud-config-archive", {}, text});
      return;
    }
    for (const auto& entry : archive.value.items) {
      if (entry.is_text()) {
        const auto type = type_by_beginning(entry.text);
        add({{}, type.empty() ? "text/cloud-config" : type, {}, entry.text});
        continue;
      }
      if (!entry.is_map()) continue;
      const auto value_of = [&](const char* key) {
        const auto* value = find_entry(entry, key);
        return value == nullptr ? std::string() : value->text;
      };
      const auto content = value_of("content");
      auto type = ascii_lower(value_of("type"));
      if (type.empty()) type = type_by_beginning(content);
      if (type.empty()) type = "text/cloud-config";
      add({value_of("filename"), type, merge_type_of(entry), content});
    }
  }

  void add(UserDataPart part) { found_.parts.push_back(std::move(part)); }

  UserDataParts found_;
  std::size_t expanded_ = 0;
};

}  // namespace

bool is_handled_type(std::string_view type) {
  constexpr std::array<std::string_view, 11> handled = {
      "text/x-shellscript",          "text/cloud-config",
      "text/cloud-config-jsonp",     "text/cloud-boothook",
      "text/part-handler",           "text/jinja2",
      "text/x-include-url",          "text/x-include-once-url",
      "text/x-shellscript-per-boot", "text/x-shellscript-per-instance",
      "text/x-shellscript-per-once"};
  return contains(handled, type);
}

std::string type_by_beginning(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const auto start = ascii_lower(text.substr(0, 32));
  const auto found =
      std::find_if(beginnings.begin(), beginnings.end(),
                   [&](const Beginning& known) { return start.starts_with(known.text); });
  return found == beginnings.end() ? std::string() : std::string(found->type);
}

UserDataParts read_user_data_parts(const std::string& bytes) {
  auto found = Reader().read(bytes);
  if (found.parts.size() == 1) return found;
  for (std::size_t i = 0; i < found.parts.size(); ++i) {
    if (found.parts[i].name.empty()) found.parts[i].name = fmt::format("part {}", i + 1);
  }
  return found;
}

}  // namespace vmr
