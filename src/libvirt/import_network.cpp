// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmr {
namespace {

/// QEMU's device for a card model of libvirt's; empty for those that are not carried over.
std::string device_for(std::string_view model) {
  constexpr std::array<std::string_view, 6> same = {"e1000",   "e1000e",   "rtl8139",
                                                    "vmxnet3", "ne2k_pci", "pcnet"};
  if (model.empty() || model == "virtio") return "virtio-net-pci";
  return std::find(same.begin(), same.end(), model) == same.end() ? "" : std::string(model);
}

/// The address of the card, marked as read; empty when there is none or it is not one.
std::string take_mac(DomainElement& card) {
  auto* mac = find_child(card, "mac");
  const std::string address(mac == nullptr ? std::string_view{} : peek(*mac, "address"));
  const bool is_address =
      address.size() == 17 && address.find_first_not_of("0123456789abcdefABCDEF:") == address.npos;
  if (!is_address) return {};
  take(*mac, "address");
  mac->taken = true;
  return address;
}

/// The name that libvirt itself gave the host's end; QEMU makes another.
void take_generated_name(DomainElement& card) {
  auto* target = find_child(card, "target");
  if (target == nullptr || !peek(*target, "dev").starts_with("vnet")) return;
  take(*target, "dev");
  target->taken = true;
}

/// Makes of a forward to the guest's SSH the one of SSH_PORT; anything else stays unread.
void import_forward(DomainElement& forward, Import& import) {
  if (peek(forward, "proto") != "tcp" || forward.children.size() != 1) return;
  auto& range = forward.children.front();
  const std::string address(peek(forward, "address"));
  const auto start = number_in(peek(range, "start"));
  const bool to_ssh = peek(range, "to") == "22" || (peek(range, "to").empty() && start == 22);
  const bool one_port = peek(range, "end").empty() || peek(range, "end") == peek(range, "start");
  const bool ipv4 = address.find_first_not_of("0123456789.") == address.npos;
  if (range.name != "range" || !start || *start < 1 || *start > 65535 || !to_ssh || !one_port ||
      !ipv4 || !peek(range, "exclude").empty() || import.has("SSH_PORT")) {
    return;
  }
  forward.taken = true;
  take(forward, "proto");
  take(forward, "address");
  take_all(range);
  // libvirt means every address, where we would mean this machine's own.
  import.set("SSH_PORT", fmt::format("{}:{}", address.empty() ? "0.0.0.0" : address, *start));
}

/// The card that every VM has, in QEMU's user network.
void import_own_card(DomainElement& card, Import& import) {
  card.taken = true;
  take(card, "type");
  if (const auto mac = take_mac(card); !mac.empty()) {
    import.add_arguments({"-global", "virtio-net-pci.mac=" + mac});
  }
  if (auto* model = take_child(card, "model")) {
    if (!take_word(*model, "type", {"virtio"})) {
      take(*model, "type");
      import.change(*model, "the card is a virtio one, for which the guest needs a driver");
    }
  }
  take_generated_name(card);
  for (auto& child : card.children) {
    if (child.name == "portForward") import_forward(child, import);
  }
}

/// Adds a card to those that QEMU has; `backend` is its -netdev. Whether there is such a card.
bool import_further_card(DomainElement& card, QemuOption backend, const std::string& id,
                         Import& import) {
  auto* model = find_child(card, "model");
  const auto name = device_for(model == nullptr ? std::string_view{} : peek(*model, "type"));
  if (name.empty()) {
    import.lose(card, fmt::format("there is no card '{}'; give it with model virtio",
                                  peek(*model, "type")));
    take_all(card);
    return false;
  }
  card.taken = true;
  take(card, "type");
  if (model != nullptr) {
    model->taken = true;
    take(*model, "type");
  }
  take_generated_name(card);
  QemuOption device(name);
  device.set("netdev", id);
  if (const auto mac = take_mac(card); !mac.empty()) device.set("mac", mac);
  device.set("romfile", std::string_view());
  import.add_arguments({"-netdev", backend.set("id", id).text(), "-device", device.text()});
  return true;
}

void import_bridge(DomainElement& card, const std::string& id, Import& import) {
  auto* source = take_child(card, "source");
  const auto bridge = source == nullptr ? std::nullopt : take(*source, "bridge");
  if (!bridge || bridge->empty()) {
    import.lose(card, "it names no bridge");
    take_all(card);
    return;
  }
  if (!import_further_card(card, QemuOption("bridge").set("br", *bridge), id, import)) return;
  import.change(card,
                fmt::format("QEMU's own qemu-bridge-helper makes its end: it has to be setuid "
                            "root or run by root, with 'allow {}' in /etc/qemu/bridge.conf",
                            *bridge));
}

/// The card that becomes the one of every VM: of a user network, else of a network of libvirt's.
DomainElement* own_card_of(DomainElement& devices) {
  for (const std::string_view type : {"user", "network"}) {
    for (auto& card : devices.children) {
      if (card.name == "interface" && peek(card, "type") == type) return &card;
    }
  }
  return nullptr;
}

/// Whether libvirt's network lets its guests out, which only its name tells here: `default` does.
void import_network(DomainElement& card, Import& import) {
  auto* source = take_child(card, "source");
  const auto name = source == nullptr ? std::string() : take(*source, "network").value_or("");
  const std::string_view own =
      "the card is in a network of QEMU's own, where only SSH_PORT of this machine leads to the "
      "guest";
  if (name == "default") {
    import.change(card, own);
    return;
  }
  import.set("NETWORK", "restricted");
  import.change(card,
                fmt::format("{}, and it reaches nobody, since the network '{}' may be an isolated "
                            "one (NETWORK=open lets it out; for the network itself give its "
                            "bridge, virsh net-info {}, as <interface type='bridge'>)",
                            own, name, name));
}

}  // namespace

void import_interfaces(DomainElement& devices, Import& import) {
  auto* const own = own_card_of(devices);
  int number = 0;
  for (auto& card : devices.children) {
    if (card.name != "interface" || &card == own) continue;
    const auto id = fmt::format("import-net{}", number + 1);
    if (peek(card, "type") == "user") {
      ++number;
      import_further_card(card, QemuOption("user"), id, import);
    } else if (peek(card, "type") == "bridge") {
      ++number;
      import_bridge(card, id, import);
    }
  }
  if (own != nullptr) import_own_card(*own, import);
  if (own != nullptr && peek(*own, "type") == "network") import_network(*own, import);
  if (own != nullptr) return;
  // A guest that nobody gave a way out does not get one.
  import.set("NETWORK", "restricted");
  import.change(
      devices,
      "the machine has a card of its own besides, by which SSH_PORT of this machine leads "
      "to the guest's SSH and the guest reaches nothing (NETWORK=open: everything)");
}

}  // namespace vmr
