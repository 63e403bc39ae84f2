// SPDX-License-Identifier: MIT
#include "libvirt/import_parts.hpp"
#include "libvirt/import_rules.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

void note_attributes(const DomainElement& element, const std::string& path, Import& import) {
  for (const auto& attribute : element.attributes) {
    if (attribute.taken || is_implied(path, attribute)) continue;
    const auto reason = reason_for(path + "@" + attribute.name);
    import.found.notes.push_back({element.line, describe(element, attribute),
                                  fmt::format("not carried over: {}", reason.why), reason.weight});
  }
}

void note_element(const DomainElement& element, const std::string& path, Import& import) {
  if (!element.taken && !is_only_a_frame(path)) {
    const auto reason = reason_for(path);
    if (!is_implied(path, element)) import.lose(element, reason.why, reason.weight);
    return;
  }
  note_attributes(element, path, import);
  for (const auto& child : element.children) {
    note_element(child, path + "/" + child.name, import);
  }
}

}  // namespace

void note_rest(const DomainElement& domain, Import& import) {
  note_element(domain, domain.name, import);
}

}  // namespace vmr
