// SPDX-License-Identifier: MIT
#include "spec/cloud_config_merge.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace vmr {
namespace {

using Tokens = std::vector<std::string>;

/// "/a~1b/0" as its parts; none: it is no pointer.
std::optional<Tokens> read_pointer(std::string_view text) {
  if (!text.empty() && !text.starts_with('/')) return std::nullopt;
  Tokens tokens;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      tokens.emplace_back();
    } else if (text[i] == '~' && i + 1 < text.size()) {
      tokens.back() += text[++i] == '1' ? '/' : '~';
    } else {
      tokens.back() += text[i];
    }
  }
  return tokens;
}

std::optional<std::size_t> read_index(const std::string& token, std::size_t limit) {
  std::size_t index = 0;
  const auto* end = token.data() + token.size();
  const auto [stop, error] = std::from_chars(token.data(), end, index);
  if (error != std::errc() || stop != end || index >= limit) return std::nullopt;
  return index;
}

YamlValue* find_child(YamlValue& value, const std::string& token) {
  if (value.is_map()) {
    const auto found = value.entries.find(token);
    return found == value.entries.end() ? nullptr : &found->second;
  }
  const auto index = read_index(token, value.items.size());
  return index ? &value.items[*index] : nullptr;
}

/// What is at the first `depth` parts of a pointer.
YamlValue* find_value(YamlValue& root, const Tokens& tokens, std::size_t depth) {
  auto* value = &root;
  for (std::size_t i = 0; value != nullptr && i < depth; ++i) value = find_child(*value, tokens[i]);
  return value;
}

bool add_value(YamlValue& root, const Tokens& tokens, YamlValue value) {
  if (tokens.empty()) {
    root = std::move(value);
    return true;
  }
  auto* parent = find_value(root, tokens, tokens.size() - 1);
  if (parent == nullptr) return false;
  if (parent->is_map()) {
    parent->entries.insert_or_assign(tokens.back(), std::move(value));
    return true;
  }
  if (!parent->is_list()) return false;
  auto& items = parent->items;
  const auto index = tokens.back() == "-" ? std::optional(items.size())
                                          : read_index(tokens.back(), items.size() + 1);
  if (!index) return false;
  items.insert(items.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return true;
}

bool remove_value(YamlValue& root, const Tokens& tokens) {
  if (tokens.empty() || find_value(root, tokens, tokens.size()) == nullptr) return false;
  auto* parent = find_value(root, tokens, tokens.size() - 1);
  if (parent->is_map()) {
    parent->entries.erase(tokens.back());
  } else {
    const auto index = read_index(tokens.back(), parent->items.size());
    parent->items.erase(parent->items.begin() + static_cast<std::ptrdiff_t>(*index));
  }
  return true;
}

std::string text_of(const YamlValue& operation, const char* key) {
  const auto* value = find_entry(operation, key);
  return value == nullptr ? std::string() : value->text;
}

/// The values in `value`, itself too.
std::size_t count_values(const YamlValue& value) {
  std::size_t count = 1;
  for (const auto& item : value.items) count += count_values(item);
  for (const auto& [key, entry] : value.entries) count += count_values(entry);
  return count;
}

/// Takes the copies that it makes off `budget`: copies of copies grow without bound.
bool apply(YamlValue& root, const YamlValue& operation, std::size_t& budget) {
  const auto kind = text_of(operation, "op");
  const auto path = read_pointer(text_of(operation, "path"));
  if (!operation.is_map() || !path) return false;
  if (kind == "remove") return remove_value(root, *path);
  if (kind == "move" || kind == "copy") {
    const auto from = read_pointer(text_of(operation, "from"));
    const auto* source = from ? find_value(root, *from, from->size()) : nullptr;
    if (source == nullptr) return false;
    const auto count = count_values(*source);
    if (count > budget) return false;
    budget -= count;
    auto value = *source;
    if (kind == "move" && !remove_value(root, *from)) return false;
    return add_value(root, *path, std::move(value));
  }
  const auto* given = find_entry(operation, "value");
  if (given == nullptr) return false;
  auto* target = find_value(root, *path, path->size());
  if (kind == "add") return add_value(root, *path, *given);
  if (target == nullptr) return false;
  if (kind == "test") return *target == *given;
  if (kind != "replace") return false;
  *target = *given;
  return true;
}

}  // namespace

bool apply_json_patch(YamlValue& config, const YamlValue& patch) {
  if (!patch.is_list()) return false;
  auto changed = config;
  std::size_t budget = 1'000'000;
  for (const auto& operation : patch.items) {
    if (!apply(changed, operation, budget)) return false;
  }
  config = std::move(changed);
  return true;
}

}  // namespace vmr
