// SPDX-License-Identifier: MIT
#include "spec/yaml_value.hpp"

#include "base/ascii.hpp"
#include "base/utf8.hpp"
#include "spec/yaml_scalar.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace vmr {
namespace {

using Kind = YamlValue::Kind;

/// Of what cannot be counted in a file any more: aliases in aliases.
constexpr std::size_t most_values = 2'000'000;
constexpr int deepest = 1000;

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A value, and what merging and bounds need of it.
struct Node {
  YamlValue value;
  std::size_t size = 1;  ///< values in it, itself too
  int depth = 1;
  bool is_merge_key = false;  ///< a plain `<<`
};

std::string key_of(const YamlValue& value) {
  switch (value.kind) {
    case Kind::text:
      return value.text;
    case Kind::list:
    case Kind::map:
      throw Refused("a key that is a list or a map");
    default:
      return '\0' + value.text;
  }
}

/// Adds what the value of `<<` has; earlier maps of a list go before later ones.
void merge_into(YamlValue& map, const YamlValue& merged) {
  if (merged.is_map()) {
    for (const auto& [key, value] : merged.entries) map.entries.insert_or_assign(key, value);
  } else if (merged.is_list()) {
    for (auto i = merged.items.rbegin(); i != merged.items.rend(); ++i) {
      if (!i->is_map()) throw Refused("'<<' with what is no map");
      merge_into(map, *i);
    }
  } else {
    throw Refused("'<<' with what is no map");
  }
}

/// Makes values of what yaml-cpp tells, which knows no YAML 1.1, no merges and no doubled keys.
class Builder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    mark_ = mark;
    add({}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    mark_ = mark;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused("an alias of what it is in");
    add(found->second, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    mark_ = mark;
    Node node;
    if (tag == "?") {
      node.value = resolve_plain_scalar(text);
      node.is_merge_key = text == "<<";
    } else if (tag == "!") {
      node.value = YamlValue::of(text);
    } else {
      auto value = read_tagged_scalar(type_of(tag), text);
      if (!value) throw Refused("a value of an unknown type, " + tag);
      node.value = std::move(*value);
    }
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    mark_ = mark;
    check_tag(tag, {"seq", "omap", "pairs"});
    frames_.push_back({Kind::list, anchor, {}});
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    mark_ = mark;
    check_tag(tag, {"map", "set", "map"});
    frames_.push_back({Kind::map, anchor, {}});
  }
  void OnMapEnd() override { end(); }

  YamlValue take() { return std::move(root_); }
  int line() const { return mark_.line + 1; }

 private:
  struct Frame {
    Kind kind;
    YAML::anchor_t anchor;
    std::vector<Node> nodes;  ///< of a map each key and its value
  };

  static std::string type_of(const std::string& tag) {
    constexpr std::string_view prefix = "tag:yaml.org,2002:";
    return tag.starts_with(prefix) ? tag.substr(prefix.size()) : std::string();
  }
  static void check_tag(const std::string& tag, const std::array<std::string_view, 3>& known) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (std::find(known.begin(), known.end(), type_of(tag)) != known.end()) return;
    throw Refused("a value of an unknown type, " + tag);
  }

  void add(Node node, YAML::anchor_t anchor) {
    made_ += node.size;
    if (made_ > most_values) throw Refused("too many values");
    if (anchor != 0) anchors_.insert_or_assign(anchor, node);
    if (frames_.empty()) {
      root_ = std::move(node.value);
    } else {
      frames_.back().nodes.push_back(std::move(node));
    }
  }

  void end() {
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    Node node;
    node.value.kind = frame.kind;
    for (const auto& child : frame.nodes) {
      node.size += child.size;
      node.depth = std::max(node.depth, child.depth + 1);
    }
    if (node.depth > deepest) throw Refused("too many values in each other");
    if (frame.kind == Kind::list) {
      for (auto& child : frame.nodes) node.value.items.push_back(std::move(child.value));
    } else {
      fill_map(node.value, frame.nodes);
    }
    // Its values have been counted.
    made_ -= node.size - 1;
    add(std::move(node), frame.anchor);
  }

  static void fill_map(YamlValue& map, std::vector<Node>& nodes) {
    // What is merged stands behind what the map has itself, wherever `<<` is.
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
      if (nodes[i].is_merge_key) merge_into(map, nodes[i + 1].value);
    }
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
      if (nodes[i].is_merge_key) continue;
      map.entries.insert_or_assign(key_of(nodes[i].value), std::move(nodes[i + 1].value));
    }
  }

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  YamlValue root_;
  std::size_t made_ = 0;
  YAML::Mark mark_;
};

/// Characters that PyYAML refuses wherever they are.
bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  });
}

/// `text` with what no value begins with where PyYAML takes no tab: outside of quotes, blocks of
/// text and comments. yaml-cpp takes it there.
std::string with_tabs_refused(const std::string& text) {
  std::string changed;
  for (const char c : text) {
    if (c != '\t') {
      changed += c;
      continue;
    }
    const char last = changed.empty() ? '\n' : changed.back();
    const bool may_begin = last == ' ' || last == '\n' || last == '\r' || last == '`';
    // Behind something the colon ends it.
    changed += may_begin ? "`" : " : `";
  }
  return changed;
}

YamlDocument parse(const std::string& text) {
  Builder builder;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return {};
    auto value = builder.take();
    Builder other;
    if (parser.HandleNextDocument(other)) return {{}, "it has more than one document"};
    return {std::move(value), {}};
  } catch (const YAML::Exception& error) {
    return {{}, fmt::format("line {}: {}", error.mark.line + 1, error.msg)};
  } catch (const Refused& error) {
    return {{}, fmt::format("line {}: {}", builder.line(), error.what())};
  }
}

/// The line of the first tab that PyYAML would not take; 0: none.
int find_tab(const std::string& text) {
  if (text.find('\t') == text.npos) return 0;
  Builder builder;
  try {
    std::istringstream stream(with_tabs_refused(text));
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    return error.mark.line + 1;
  } catch (const Refused&) {
    return builder.line();
  }
  return 0;
}

}  // namespace

const YamlValue* find_entry(const YamlValue& value, const std::string& key) {
  const auto found = value.entries.find(key);
  return found == value.entries.end() ? nullptr : &found->second;
}

bool is_true(const YamlValue& value) {
  if (value.is_list() || value.is_map()) return false;
  constexpr std::string_view blanks = " \t\n\v\f\r";
  auto text = ascii_lower(value.text);
  text.erase(0, std::min(text.find_first_not_of(blanks), text.size()));
  text.erase(text.find_last_not_of(blanks) + 1);
  return text == "true" || text == "1" || text == "on" || text == "yes";
}

YamlDocument read_yaml(const std::string& text) {
  if (!is_utf8(text)) return {{}, "it is not UTF-8"};
  if (has_control_characters(text)) return {{}, "it has control characters"};
  auto document = parse(text);
  if (!document.problem.empty()) return document;
  if (const int line = find_tab(text); line != 0) {
    return {{},
            fmt::format("line {}: a tab, which may only be in quotes, in a block of text and in a "
                        "comment",
                        line)};
  }
  return document;
}

}  // namespace vmr
