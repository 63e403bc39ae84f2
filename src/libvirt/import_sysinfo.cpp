// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"
#include "libvirt/import_parts.hpp"

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// One table of SMBIOS: libvirt's element, QEMU's type, and the entries that both know, by QEMU's
/// names, which are libvirt's too.
struct SmbiosTable {
  std::string_view element;
  std::string_view type;
  std::array<std::string_view, 7> entries;
};

constexpr std::array tables = std::to_array<SmbiosTable>(
    {{"bios", "type=0", {"vendor", "version", "date", "release"}},
     {"system",
      "type=1",
      {"manufacturer", "product", "version", "serial", "uuid", "sku", "family"}},
     {"baseBoard", "type=2", {"manufacturer", "product", "version", "serial", "asset", "location"}},
     {"chassis", "type=3", {"manufacturer", "version", "serial", "asset", "sku"}}});

void import_table(const SmbiosTable& table, DomainElement& element, Import& import) {
  QemuOption option(table.type);
  element.taken = true;
  bool has_any = false;
  for (const auto name : table.entries) {
    for (auto& entry : element.children) {
      if (entry.name != "entry" || peek(entry, "name") != name || name.empty()) continue;
      take_all(entry);
      option.set(name, entry.text);
      has_any = true;
      break;
    }
  }
  if (has_any) import.add_arguments({"-smbios", option.text()});
}

void import_strings(DomainElement& element, Import& import) {
  QemuOption option("type=11");
  element.taken = true;
  for (auto& entry : element.children) {
    if (entry.name != "entry") continue;
    take_all(entry);
    option.set("value", entry.text);
  }
  if (!element.children.empty()) import.add_arguments({"-smbios", option.text()});
}

void import_smbios(DomainElement& sysinfo, Import& import) {
  for (auto& element : sysinfo.children) {
    if (element.name == "oemStrings") import_strings(element, import);
    for (const auto& table : tables) {
      if (element.name == table.element) import_table(table, element, import);
    }
  }
}

/// Why QEMU cannot give the guest the entry; empty: it can.
std::string_view objection_to(const DomainElement& entry) {
  constexpr std::size_t longest = 55;
  const auto name = peek(entry, "name");
  const auto file = peek(entry, "file");
  if (!name.starts_with("opt/") || name.size() > longest) {
    return "its name has to begin with opt/ and have up to 55 bytes";
  }
  if (file.empty()) return entry.text.empty() ? "it has neither a value nor a file" : "";
  return file.front() == '/' ? "" : "the path is not absolute";
}

void import_firmware_entries(DomainElement& sysinfo, Import& import) {
  for (auto& entry : sysinfo.children) {
    if (entry.name != "entry") continue;
    if (const auto objection = objection_to(entry); !objection.empty()) {
      import.lose(entry, objection);
    } else {
      QemuOption option("name=" + std::string(peek(entry, "name")));
      const auto file = peek(entry, "file");
      option.set(file.empty() ? "string" : "file", file.empty() ? entry.text : file);
      import.add_arguments({"-fw_cfg", option.text()});
    }
    take_all(entry);
  }
}

}  // namespace

void import_sysinfo(DomainElement& domain, Import& import) {
  auto* os = find_child(domain, "os");
  auto* smbios = os == nullptr ? nullptr : find_child(*os, "smbios");
  const bool is_given = smbios != nullptr && peek(*smbios, "mode") == "sysinfo";
  if (is_given) take_all(*smbios);
  for (auto& sysinfo : domain.children) {
    if (sysinfo.name != "sysinfo") continue;
    const auto type = peek(sysinfo, "type");
    if (type == "fwcfg") {
      sysinfo.taken = true;
      take(sysinfo, "type");
      import_firmware_entries(sysinfo, import);
    } else if (type == "smbios" && is_given) {
      sysinfo.taken = true;
      take(sysinfo, "type");
      import_smbios(sysinfo, import);
    } else if (type == "smbios") {
      // Without <smbios mode='sysinfo'/> libvirt does not use it either.
      take_all(sysinfo);
    }
  }
}

}  // namespace vmr
