// SPDX-License-Identifier: MIT
// A libvirt domain's XML as a tree in which is marked what has been read; the only file that knows
// an XML library is domain_tree.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The largest XML that is read, and the most elements in each other.
inline constexpr std::size_t most_domain_bytes = std::size_t{1024} * 1024;
inline constexpr int deepest_domain_element = 32;

struct DomainAttribute {
  std::string name;
  std::string value;
  bool taken = false;
};

struct DomainElement {
  std::string name;
  std::size_t line = 1;
  std::string text;  ///< its own, without blanks at both ends
  std::vector<DomainAttribute> attributes;
  std::vector<DomainElement> children;
  bool taken = false;     ///< itself and its text; attributes and children have their own
  bool is_qemus = false;  ///< in libvirt's namespace for QEMU's own words, whatever its prefix
};

/// The tree of `text`. Throws Error (usage) with file, line and column for what is no XML, has a
/// document type, is not UTF-8, too large or too deep, and when the root is not <domain>.
DomainElement parse_domain(std::string_view text, const std::string& file_name);

/// The attribute's value, marked as read; none when the element has no such attribute.
std::optional<std::string> take(DomainElement& element, std::string_view attribute);

/// The same where the value is one of `words`; another one is not marked.
std::optional<std::string> take_word(DomainElement& element, std::string_view attribute,
                                     const std::vector<std::string_view>& words);

/// The value without marking it; empty when there is none.
std::string_view peek(const DomainElement& element, std::string_view attribute);

/// The first child with this name, itself marked as read; nullptr when there is none.
DomainElement* take_child(DomainElement& element, std::string_view name);

/// The first child with this name as it is.
DomainElement* find_child(DomainElement& element, std::string_view name);
const DomainElement* find_child(const DomainElement& element, std::string_view name);

/// Marks the element and everything in it as read.
void take_all(DomainElement& element);

/// The element's name without the prefix of its namespace.
std::string_view local_name(const DomainElement& element);

/// "<graphics type='vnc'>", "<title>some text</title>", cut to what a line can have.
std::string describe(const DomainElement& element);

/// "<driver queues='4'>": the element with one of its attributes.
std::string describe(const DomainElement& element, const DomainAttribute& attribute);

}  // namespace vmr
