// SPDX-License-Identifier: MIT
#include "plan/argument_needs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr {
namespace {

/// Devices that sit on a bus which no machine of ours has by itself.
struct BusRule {
  std::string_view kind;
  std::string_view user;                        ///< how the names of its devices begin
  std::string_view remedy;                      ///< the controller to take
  std::array<std::string_view, 8> controllers;  ///< what the names of those that have it contain
};

constexpr std::array bus_rules = std::to_array<BusRule>({
    {"USB", "usb-", "qemu-xhci", {"xhci", "ehci", "uhci", "ohci"}},
    {"USB", "u2f-", "qemu-xhci", {"xhci", "ehci", "uhci", "ohci"}},
    {"SCSI",
     "scsi-",
     "virtio-scsi-pci",
     {"virtio-scsi", "lsi53c", "megasas", "mptsas", "pvscsi", "am53c974", "dc390", "usb-uas"}},
    {"HDA", "hda-", "intel-hda", {"intel-hda"}},
    {"NVMe", "nvme-ns", "nvme", {"nvme"}},
    {"CCID", "ccid-card-", "usb-ccid", {"usb-ccid"}},
});

bool is_controller(const BusRule& rule, std::string_view driver) {
  // The names of NVMe's namespaces have their controller's in them.
  return driver != rule.user &&
         std::any_of(rule.controllers.begin(), rule.controllers.end(),
                     [&](auto part) { return !part.empty() && driver.find(part) != driver.npos; });
}

/// The names of buses that machines, and controllers without an id, give by themselves.
bool is_built_in(std::string_view base) {
  constexpr std::array names =
      std::to_array<std::string_view>({"pci", "pcie", "ide", "isa", "scsi", "hda", "i2c", "spi"});
  return base.find("-bus") != base.npos ||
         std::find(names.begin(), names.end(), base) != names.end();
}

/// "pci" of "pci.1".
std::string base_of(const std::string& bus) {
  return bus.substr(0, bus.rfind('.'));
}

}  // namespace

Givens::Givens(std::string_view machine) {
  const bool has_pcie = machine == "q35" || machine.starts_with("pc-q35") || machine == "virt" ||
                        machine.starts_with("virt-");
  const bool has_pci = machine == "pc" || machine.starts_with("pc-i440fx");
  root_bus_ = has_pcie ? "pcie.0" : has_pci ? "pci.0" : "";
}

void Givens::add(const std::string& name, const QemuKeys& keys) {
  const auto id = last_value(keys, name == "blockdev" ? "node-name" : "id");
  if (!id.empty()) ids_[name].insert(id);
  const bool is_machine = name == "machine" || name == "M";
  if (name == "usb" || name == "usbdevice" || (is_machine && is_on(last_value(keys, "usb")))) {
    kinds_.insert("USB");
  }
  if (name != "device") return;
  for (const auto& rule : bus_rules) {
    if (is_controller(rule, last_value(keys, ""))) kinds_.insert(rule.kind);
  }
}

std::string Givens::find_missing(const std::string& name, const QemuKeys& keys,
                                 const std::string& value) const {
  const auto has_id = [this](const std::string& option, const std::string& id) {
    const auto found = ids_.find(option);
    return found != ids_.end() && found->second.contains(id);
  };
  if (name == "set") {
    const auto dot = value.find('.');
    const auto group = value.substr(0, dot);
    const auto end = value.find('.', dot == value.npos ? dot : dot + 1);
    const auto equals = value.find('=', end == value.npos ? end : end + 1);
    if (equals == value.npos || equals == end + 1) return "it is not GROUP.ID.KEY=VALUE";
    const auto id = value.substr(dot + 1, end - dot - 1);
    if (has_id(group, id)) return {};
    return fmt::format(
        "there is no -{} '{}' before it, which is a name of libvirt's if you have "
        "it from there; '-global DRIVER.PROPERTY=VALUE' needs no id",
        group, id);
  }
  if (name != "device") return {};
  const auto driver = last_value(keys, "");
  const auto bus = last_value(keys, "bus");
  if (bus.empty()) {
    for (const auto& rule : bus_rules) {
      if (!driver.starts_with(rule.user) || is_controller(rule, driver)) continue;
      if (kinds_.contains(rule.kind)) continue;
      return fmt::format("the machine has no {} controller; put '-device {}' before it", rule.kind,
                         rule.remedy);
    }
    return {};
  }
  const bool is_known = has_id("device", bus) || has_id("device", base_of(bus));
  const auto base = base_of(bus);
  const bool is_pci = base == "pci" || base == "pcie";
  const bool may_be_there = is_pci ? root_bus_.empty() || bus == root_bus_ : is_built_in(base);
  if (is_known || may_be_there) return {};
  return fmt::format(
      "there is no bus '{}' here, which is a name of libvirt's if you have it from "
      "there; leave bus and addr out, or make it: '-device {},id={}'",
      bus, is_pci ? "pcie-root-port" : "CONTROLLER", is_pci ? bus : base);
}

}  // namespace vmr
