// SPDX-License-Identifier: MIT
#include "libvirt/disk_source.hpp"

#include "libvirt/disk_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

template <std::size_t count>
bool is_among(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool set_network_source(DomainElement& disk, QemuOption& drive) {
  auto* source = find_child(disk, "source");
  auto* host = source == nullptr ? nullptr : find_child(*source, "host");
  if (host == nullptr || source->children.size() != 1) return false;
  const auto protocol = std::string(peek(*source, "protocol"));
  const auto transport = peek(*host, "transport");
  const std::string server(peek(*host, "name"));
  const std::string port(peek(*host, "port"));
  const std::string name(peek(*source, "name"));
  const bool plain = transport.empty() || transport == "tcp";
  if (!plain || server.empty() || peek(*source, "tls") == "yes") return false;
  if (protocol == "nbd") {
    drive.set("file.driver", "nbd").set("file.server.type", "inet");
    drive.set("file.server.host", server).set("file.server.port", port.empty() ? "10809" : port);
    if (!name.empty()) drive.set("file.export", name);
  } else if (protocol == "http" || protocol == "https") {
    const std::string query(peek(*source, "query"));
    drive.set("file.driver", protocol);
    drive.set("file.url",
              fmt::format("{}://{}{}/{}{}", protocol, server, port.empty() ? "" : ":" + port, name,
                          query.empty() ? "" : "?" + query));
  } else {
    return false;
  }
  take_all(*host);
  for (const auto* attribute : {"protocol", "name", "query"}) take(*source, attribute);
  return true;
}

}  // namespace

bool is_local(const DomainElement& disk) {
  const auto type = peek(disk, "type");
  return type.empty() || type == "file" || type == "block";
}

std::string path_of(const DomainElement& disk) {
  const auto* source = find_child(disk, "source");
  if (source == nullptr || !is_local(disk)) return {};
  return std::string(peek(*source, peek(disk, "type") == "block" ? "dev" : "file"));
}

std::string_view format_of(const DomainElement& disk) {
  const auto* driver = find_child(disk, "driver");
  const auto format = driver == nullptr ? std::string_view{} : peek(*driver, "type");
  return format.empty() ? "raw" : format;
}

std::string hidden_by(const DomainElement& disk) {
  // These say who may open the source, and leave what is in it alone.
  constexpr std::array<std::string_view, 3> harmless = {"seclabel", "reservations", "privateData"};
  if (find_child(disk, "encryption") != nullptr) return "<encryption>";
  if (format_of(disk) == "luks") return "<driver type='luks'>";
  const auto* source = find_child(disk, "source");
  if (source == nullptr) return {};
  for (const auto& child : source->children) {
    const bool is_of_network =
        !is_local(disk) && child.name != "slices" && child.name != "encryption";
    if (!is_of_network && !is_among(harmless, child.name)) return fmt::format("<{}>", child.name);
  }
  return {};
}

bool set_source(DomainElement& disk, QemuOption& drive) {
  // Of those that need nothing but their file.
  constexpr std::array<std::string_view, 11> formats = {
      "raw", "qcow2", "qcow", "qed", "vdi", "vmdk", "vpc", "vhdx", "bochs", "cloop", "dmg"};
  if (!is_among(formats, format_of(disk))) return false;
  if (peek(disk, "type") == "network") return set_network_source(disk, drive);
  const auto path = path_of(disk);
  if (!path.starts_with('/')) return false;
  const bool block = peek(disk, "type") == "block";
  // A drive of discs would be opened as a hard disk; as a file it is only read.
  drive.set("file.driver", block && kind_of(disk) != "cdrom" ? "host_device" : "file");
  drive.set("file.filename", path);
  return true;
}

}  // namespace vmr
