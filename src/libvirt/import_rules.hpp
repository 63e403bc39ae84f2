// SPDX-License-Identifier: MIT
// What is said, or not, of the parts of a domain that become no setting.
#pragma once

#include "libvirt/domain_tree.hpp"
#include "libvirt/import_domain.hpp"

#include <string>
#include <string_view>

namespace vmr {

/// Whether the element at `path` ("domain/features/acpi") and all in it asks for nothing but what
/// vm-runner does anyway, or means nothing for the machine.
bool is_implied(std::string_view path, const DomainElement& element);

/// Whether the element itself means nothing; its attributes and children are looked at.
bool is_only_a_frame(std::string_view path);

/// The same as is_implied for one attribute of the element at `path`.
bool is_implied(std::string_view path, const DomainAttribute& attribute);

/// Why a part of a domain is not carried over, and what to do instead.
struct Reason {
  std::string_view path;  ///< of an element, or of its attribute: "domain/cpu@mode"
  std::string_view why;
  NoteWeight weight = NoteWeight::minor;
};

/// The reason for the element or attribute at `path`.
Reason reason_for(std::string_view path);

}  // namespace vmr
