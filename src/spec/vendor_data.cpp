// SPDX-License-Identifier: MIT
#include "spec/vendor_data.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace vmr {
namespace {

using Kind = YamlValue::Kind;

/// As YAML for people, if it is short.
std::string show(const YamlValue& value) {
  constexpr std::size_t longest = 40;
  switch (value.kind) {
    case Kind::null:
      return "null";
    case Kind::list:
      return value.items.empty() ? "[]" : "[…]";
    case Kind::map:
      return value.entries.empty() ? "{}" : "{…}";
    case Kind::boolean:
      return ascii_lower(value.text);
    default:
      break;
  }
  const bool is_plain = value.text.size() <= longest &&
                        std::all_of(value.text.begin(), value.text.end(),
                                    [](char c) { return c >= ' ' && c <= '~' && c != '"'; });
  if (!is_plain) return "…";
  return value.is_text() ? '"' + value.text + '"' : value.text;
}

/// Whether `disabled` names `type`, by Python's `in`.
bool names_type(const YamlValue& disabled, const std::string& type) {
  switch (disabled.kind) {
    case Kind::null:
      return false;
    case Kind::text:
      return disabled.text.find(type) != disabled.text.npos;
    case Kind::list:
      return std::find(disabled.items.begin(), disabled.items.end(), YamlValue::of(type)) !=
             disabled.items.end();
    case Kind::map:
      return disabled.entries.count(type) != 0;
    // cloud-init ends at these.
    case Kind::boolean:
    case Kind::integer:
      return true;
  }
  return true;
}

bool is_disabled(const YamlValue& config, const std::string& type) {
  const auto* vendor_data = find_entry(config, "vendor_data");
  const auto* disabled =
      vendor_data == nullptr ? nullptr : find_entry(*vendor_data, "disabled_handlers");
  return disabled != nullptr && names_type(*disabled, type);
}

/// The setting with which cloud-init takes no vendor-data at all.
std::string setting_against_all(const YamlValue& config) {
  const auto* vendor_data = find_entry(config, "vendor_data");
  if (vendor_data == nullptr) return {};
  // A text or a list cloud-init replaces by its default, with which nobody gets what he wrote.
  if (!vendor_data->is_map()) return "vendor_data: " + show(*vendor_data);
  const auto* enabled = find_entry(*vendor_data, "enabled");
  if (enabled == nullptr || is_true(*enabled)) return {};
  return "vendor_data: {enabled: " + show(*enabled) + "}";
}

}  // namespace

std::string setting_against_mounts(const YamlValue& config) {
  auto setting = setting_against_all(config);
  if (!setting.empty() || !is_disabled(config, "text/cloud-boothook")) return setting;
  return "vendor_data: {disabled_handlers: [text/cloud-boothook]}";
}

bool is_login_disabled(const YamlValue& config) {
  return !setting_against_all(config).empty() || is_disabled(config, "text/cloud-config");
}

}  // namespace vmr
