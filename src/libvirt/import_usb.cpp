// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace vmr {
namespace {

/// QEMU's device for a model of libvirt's; empty: it is none of QEMU's.
std::string_view device_for(std::string_view model, bool is_i440fx) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> devices = {
      {{"piix3-uhci", "piix3-usb-uhci"},
       {"piix4-uhci", "piix4-usb-uhci"},
       {"ehci", "usb-ehci"},
       {"ich9-ehci1", "ich9-usb-ehci1"},
       {"ich9-uhci1", "ich9-usb-uhci1"},
       {"ich9-uhci2", "ich9-usb-uhci2"},
       {"ich9-uhci3", "ich9-usb-uhci3"},
       {"ich9-uhci4", "ich9-usb-uhci4"},
       {"pci-ohci", "pci-ohci"},
       {"nec-xhci", "nec-usb-xhci"},
       {"qemu-xhci", "qemu-xhci"}}};
  // What libvirt takes itself where none is given.
  if (model.empty()) return is_i440fx ? "piix3-usb-uhci" : "qemu-xhci";
  const auto* row = std::find_if(devices.begin(), devices.end(),
                                 [&](const auto& device) { return device.first == model; });
  return row == devices.end() ? std::string_view{} : row->second;
}

/// libvirt's id of the controller with this index, which the user's own arguments may name.
std::string id_of(std::uint64_t index) {
  return index == 0 ? "usb" : fmt::format("usb{}", index);
}

/// The controllers so far, by index.
using Indexes = std::set<std::uint64_t>;

/// The first port at the master of a companion; none for a controller that stands by itself.
std::optional<std::uint64_t> first_port_of(const DomainElement& controller) {
  const auto* master = find_child(controller, "master");
  return master == nullptr ? std::nullopt : number_in(peek(*master, "startport"));
}

/// The whole -device; empty, and told why, when there is none.
std::string device_option(DomainElement& controller, Indexes& known, Import& import) {
  const auto device = device_for(peek(controller, "model"), import.is_i440fx);
  const auto index = number_in(peek(controller, "index")).value_or(known.size());
  const auto first_port = first_port_of(controller);
  if (device.empty()) {
    import.lose(controller, "no QEMU has a USB controller of this model");
    return {};
  }
  QemuOption option(device);
  if (find_child(controller, "master") != nullptr) {
    // QEMU takes a companion for two of the six ports that an EHCI has.
    if (!known.contains(index) || !first_port || *first_port > 4 || *first_port % 2 != 0) {
      import.lose(controller, "there is no USB controller with this index and port for it to join");
      return {};
    }
    return option.set("masterbus", id_of(index) + ".0").set("firstport", *first_port).text();
  }
  if (!known.insert(index).second) {
    import.lose(controller, "there is another USB controller with this index");
    return {};
  }
  option.set("id", id_of(index));
  const auto ports = number_in(peek(controller, "ports"));
  constexpr std::uint64_t most_ports = 15;
  if (ports && *ports >= 1 && *ports <= most_ports && device.ends_with("xhci")) {
    take(controller, "ports");
    option.set("p2", *ports).set("p3", *ports);
  }
  return option.text();
}

void import_controller(DomainElement& controller, Indexes& known, Import& import) {
  const auto option = device_option(controller, known, import);
  if (option.empty()) {
    take_all(controller);
    return;
  }
  controller.taken = true;
  for (const auto* attribute : {"type", "index", "model"}) take(controller, attribute);
  if (auto* master = find_child(controller, "master")) take_all(*master);
  import.add_arguments({"-device", option});
}

/// Whether an argument of the user's own makes a device of USB.
bool uses_usb(const DomainElement& domain) {
  return std::any_of(domain.children.begin(), domain.children.end(), [](const auto& line) {
    return line.is_qemus && local_name(line) == "commandline" &&
           std::any_of(line.children.begin(), line.children.end(), [](const auto& argument) {
             return peek(argument, "value").starts_with("usb-");
           });
  });
}

}  // namespace

void import_usb(const DomainElement& domain, DomainElement& devices, Import& import) {
  Indexes known;
  bool has_any = false;
  for (const bool companions : {false, true}) {
    for (auto& controller : devices.children) {
      const bool is_usb = controller.name == "controller" && peek(controller, "type") == "usb";
      if (!is_usb || (find_child(controller, "master") != nullptr) != companions) continue;
      has_any = true;
      if (peek(controller, "model") == "none") {
        take_all(controller);
      } else {
        import_controller(controller, known, import);
      }
    }
  }
  // libvirt gives every machine one.
  if (has_any || !uses_usb(domain)) return;
  import.add_arguments(
      {"-device", QemuOption(device_for("", import.is_i440fx)).set("id", "usb").text()});
}

}  // namespace vmr
