// SPDX-License-Identifier: MIT
#include "libvirt/domain_tree.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <pugixml.hpp>

namespace vmr {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Whether a character that XML can have (XML 1.0, 2.2).
bool is_xml_character(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code < 0x110000);
}

/// The bytes of the UTF-8 character that `text` begins with; 0 when it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return 0;
    code = code << 6U | (byte(at) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> lowest = {0, 0, 0x80, 0x800, 0x10000};
  return code >= lowest.at(length) && is_xml_character(code) ? length : 0;
}

/// Whether `name`, what is between `&` and `;`, stands for a character.
bool is_reference(std::string_view name) {
  constexpr std::array<std::string_view, 5> names = {"amp", "lt", "gt", "apos", "quot"};
  if (!name.starts_with('#')) return std::find(names.begin(), names.end(), name) != names.end();
  const bool hexadecimal = name.starts_with("#x");
  const auto digits = name.substr(hexadecimal ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
  return error == std::errc{} && end == digits.data() + digits.size() && is_xml_character(code);
}

/// Turns one text into a tree.
class DomainParser {
 public:
  DomainParser(std::string_view text, const std::string& name) : text_(text), name_(name) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') line_starts_.push_back(at + 1);
    }
  }

  DomainElement parse() {
    check_size();
    check_characters();
    check_references();
    pugi::xml_document document;
    const auto result = document.load_buffer(
        text_.data(), text_.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
    if (!result) refuse(static_cast<std::size_t>(result.offset), result.description());
    check_document(document);
    return element_of(document.document_element(), 1);
  }

 private:
  [[noreturn]] void refuse(std::size_t offset, const std::string& cause,
                           const std::string& hint = "correct the XML there") const {
    const auto line = line_at(offset);
    throw Error(fmt::format("{}:{}:{}: not the XML of a libvirt domain", name_, line,
                            offset - line_starts_[line - 1] + 1),
                cause, hint, ExitStatus::usage);
  }

  void check_size() const {
    if (text_.size() <= most_domain_bytes) return;
    throw Error(fmt::format("{}: not the XML of a libvirt domain", name_),
                "it is larger than 1 MiB", "give what 'virsh dumpxml' prints of one domain",
                ExitStatus::usage);
  }

  void check_characters() const {
    for (std::size_t at = 0; at < text_.size();) {
      const auto length = character_length(text_.substr(at));
      if (length == 0) refuse(at, "neither UTF-8 nor a character that XML has");
      at += length;
    }
  }

  /// The library takes what it does not know for text, where XML knows no such reference.
  void check_references() const {
    for (std::size_t at = text_.find_first_of("<&"); at != text_.npos;
         at = text_.find_first_of("<&", at + 1)) {
      const auto rest = text_.substr(at);
      if (rest.starts_with("<!--")) {
        at = std::min(text_.find("-->", at), text_.size());
      } else if (rest.starts_with("<![CDATA[")) {
        at = std::min(text_.find("]]>", at), text_.size());
      } else if (rest.front() == '&') {
        const auto name = rest.substr(1, rest.substr(0, 16).find(';') - 1);
        if (!is_reference(name)) refuse(at, "a reference to an entity that XML does not have");
      }
    }
  }

  void check_document(const pugi::xml_document& document) const {
    const pugi::xml_node root = document.document_element();
    for (const auto& node : document.children()) {
      const auto offset = static_cast<std::size_t>(node.offset_debug());
      if (node.type() == pugi::node_doctype) {
        refuse(offset, "it has a document type", "leave it out: libvirt writes none");
      }
      if (node.type() == pugi::node_element && node != root) {
        refuse(offset, "a second element at the top");
      }
    }
    if (std::string_view(root.name()) == "domain") return;
    refuse(static_cast<std::size_t>(root.offset_debug()),
           fmt::format("its root is <{}>, not <domain>", root.name()),
           "give what 'virsh dumpxml --inactive NAME' prints");
  }

  DomainElement element_of(const pugi::xml_node& node, int depth) {
    const auto offset = static_cast<std::size_t>(node.offset_debug());
    if (depth > deepest_domain_element) refuse(offset, "too many elements in each other");
    DomainElement element;
    element.name = node.name();
    element.line = line_at(offset);
    for (const auto& attribute : node.attributes()) {
      element.attributes.push_back({attribute.name(), attribute.value()});
      if (const auto prefix = declared_by(attribute)) {
        namespaces_[*prefix].push_back(attribute.value() == qemus);
      }
    }
    element.is_qemus = is_qemus(element.name);
    std::string text;
    for (const auto& child : node.children()) {
      if (child.type() == pugi::node_element) {
        element.children.push_back(element_of(child, depth + 1));
      } else {
        text += child.value();
      }
    }
    element.text = without_blanks(text);
    for (const auto& attribute : node.attributes()) {
      if (const auto prefix = declared_by(attribute)) namespaces_[*prefix].pop_back();
    }
    return element;
  }

  /// The prefix for which the attribute declares a namespace; empty: for elements without one.
  static std::optional<std::string_view> declared_by(const pugi::xml_attribute& attribute) {
    const std::string_view name = attribute.name();
    if (name == "xmlns") return std::string_view{};
    return name.starts_with("xmlns:") ? std::optional(name.substr(6)) : std::nullopt;
  }

  /// Whether the prefix of `name` stands for libvirt's namespace of QEMU's own words.
  [[nodiscard]] bool is_qemus(std::string_view name) const {
    const auto colon = name.find(':');
    const auto declared = namespaces_.find(name.substr(0, colon == name.npos ? 0 : colon));
    return declared != namespaces_.end() && !declared->second.empty() && declared->second.back();
  }

  [[nodiscard]] std::size_t line_at(std::size_t offset) const {
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    return static_cast<std::size_t>(std::distance(line_starts_.begin(), after));
  }

  static constexpr std::string_view qemus = "http://libvirt.org/schemas/domain/qemu/1.0";

  std::string_view text_;
  const std::string& name_;
  /// By prefix, whether it stands for that namespace: of the elements around, the innermost last.
  std::map<std::string_view, std::vector<bool>> namespaces_;
  std::vector<std::size_t> line_starts_ = {0};
};

/// `text` cut to 80 bytes, at the end of a character.
std::string shortened(std::string_view text) {
  constexpr std::size_t most = 80;
  if (text.size() <= most) return std::string(text);
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

template <typename Element>
auto* child_of(Element& element, std::string_view name) {
  const auto child = std::find_if(element.children.begin(), element.children.end(),
                                  [&](const DomainElement& other) { return other.name == name; });
  return child == element.children.end() ? nullptr : &*child;
}

}  // namespace

DomainElement parse_domain(std::string_view text, const std::string& file_name) {
  return DomainParser(text, file_name).parse();
}

std::optional<std::string> take(DomainElement& element, std::string_view attribute) {
  for (auto& candidate : element.attributes) {
    if (candidate.name != attribute) continue;
    candidate.taken = true;
    return candidate.value;
  }
  return std::nullopt;
}

std::optional<std::string> take_word(DomainElement& element, std::string_view attribute,
                                     const std::vector<std::string_view>& words) {
  const auto value = peek(element, attribute);
  if (std::find(words.begin(), words.end(), value) == words.end()) return std::nullopt;
  return take(element, attribute);
}

std::string_view peek(const DomainElement& element, std::string_view attribute) {
  for (const auto& candidate : element.attributes) {
    if (candidate.name == attribute) return candidate.value;
  }
  return {};
}

DomainElement* take_child(DomainElement& element, std::string_view name) {
  auto* child = child_of(element, name);
  if (child != nullptr) child->taken = true;
  return child;
}

DomainElement* find_child(DomainElement& element, std::string_view name) {
  return child_of(element, name);
}

const DomainElement* find_child(const DomainElement& element, std::string_view name) {
  return child_of(element, name);
}

void take_all(DomainElement& element) {
  element.taken = true;
  for (auto& attribute : element.attributes) attribute.taken = true;
  for (auto& child : element.children) take_all(child);
}

std::string_view local_name(const DomainElement& element) {
  const auto colon = element.name.find(':');
  return std::string_view(element.name).substr(colon == std::string::npos ? 0 : colon + 1);
}

std::string describe(const DomainElement& element) {
  if (!element.attributes.empty()) return describe(element, element.attributes.front());
  const auto name = shortened(element.name);
  if (element.text.empty()) return fmt::format("<{}>", name);
  return fmt::format("<{0}>{1}</{0}>", name, shortened(element.text));
}

std::string describe(const DomainElement& element, const DomainAttribute& attribute) {
  return fmt::format("<{} {}='{}'>", shortened(element.name), shortened(attribute.name),
                     shortened(attribute.value));
}

}  // namespace vmr
