// SPDX-License-Identifier: MIT
// libvirt domains that are imported in unit tests, and what comes of them.
#pragma once

#include "base/log.hpp"
#include "base/printable.hpp"
#include "libvirt/import_domain.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace vmr::test {

using Texts = std::map<SettingKey, std::string>;

inline Texts texts_of(const std::vector<TomlLine>& settings) {
  Texts texts;
  for (const auto& setting : settings) CHECK(texts.emplace(setting.key, setting.text).second);
  return texts;
}

inline std::string notes_of(const ImportedDomain& imported) {
  std::string text;
  for (const auto& note : imported.notes) {
    text += on_one_line(describe(note, "domain.xml")) + "\n";
  }
  return text;
}

inline std::string report_text(const ImportedDomain& imported, bool verbose) {
  std::string text;
  for (const auto& line : report_of(imported.notes, "domain.xml", verbose).lines) {
    text += on_one_line(line) + "\n";
  }
  return text;
}

inline ImportedDomain imported(const std::string& text) {
  return import_domain(text, "domain.xml");
}

/// A domain of which all but `body` is fixed.
inline std::string domain_with(const std::string& body) {
  return "<domain type='qemu'>\n<os><type>hvm</type><kernel>/k</kernel></os>\n" + body +
         "\n</domain>";
}

}  // namespace vmr::test
