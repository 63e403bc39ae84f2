// SPDX-License-Identifier: MIT
// A libvirt domain in our settings.
#pragma once

#include "config/print_toml.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// How much a note is worth to somebody who starts the guest.
enum class NoteWeight {
  stops,    ///< as it is, the guest may not start
  matters,  ///< it starts, and misses something or has it otherwise
  minor     ///< nobody misses it there
};

/// One thing that is lost, or not as it was.
struct ImportNote {
  std::size_t line = 1;
  std::string element;  ///< "<graphics type='vnc'>"
  std::string why;      ///< "not carried over: …", or "carried over, but …"
  NoteWeight weight = NoteWeight::matters;

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

/// What is told of the notes: a line for all with the same reason, what keeps the guest from
/// starting first, and what is minor only if `verbose`.
struct ImportReport {
  std::vector<std::string> lines;
  std::size_t untold = 0;  ///< how many minor notes are left out

  bool operator==(const ImportReport&) const = default;
};
ImportReport report_of(const std::vector<ImportNote>& notes, std::string_view file_name,
                       bool verbose);

/// "DOMAIN.xml:37: <graphics type='vnc'>: not carried over: …".
std::string describe(const ImportNote& note, std::string_view file_name);

}  // namespace vmr
