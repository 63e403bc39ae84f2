// SPDX-License-Identifier: MIT
// A libvirt domain in our settings.
#pragma once

#include "config/print_toml.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// One thing that is lost, or not as it was.
struct ImportNote {
  std::size_t line = 1;
  std::string element;  ///< "<graphics type='vnc'>"
  std::string why;      ///< "not carried over: …", or "carried over, but …"

  bool operator==(const ImportNote&) const = default;
};

struct ImportedDomain {
  std::vector<TomlLine> settings;  ///< the VM's first, then share by share
  std::vector<ImportNote> notes;   ///< by line

  bool operator==(const ImportedDomain&) const = default;
};

/// The settings that make of vm-runner's VM what libvirt's would be, and a note for everything in
/// the XML that they do not carry over. Pure. Throws Error (usage) with file, line and column for
/// what is no domain's XML; `file_name` is only shown.
ImportedDomain import_domain(std::string_view text, const std::string& file_name);

/// "DOMAIN.xml:37: <graphics type='vnc'>: not carried over: …".
std::string describe(const ImportNote& note, std::string_view file_name);

}  // namespace vmr
