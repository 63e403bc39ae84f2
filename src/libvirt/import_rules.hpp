// SPDX-License-Identifier: MIT
// What is said, or not, of the parts of a domain that become no setting.
#pragma once

#include "libvirt/domain_tree.hpp"

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

/// Why the element at `path` is not carried over, or its attribute ("domain/cpu@mode"), and what
/// to do instead.
std::string_view reason_for(std::string_view path);

}  // namespace vmr
