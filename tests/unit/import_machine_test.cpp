// SPDX-License-Identifier: MIT
// The machine type that an imported domain gets.
#include "support/imported_domain.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace vmr::test {
namespace {

/// The machine that `attributes` of <type> become, and what is said of it.
std::string machine_of(const std::string& attributes) {
  const auto domain = imported("<domain type='qemu'><os><type " + attributes +
                               ">hvm</type><kernel>/k</kernel></os></domain>");
  const auto notes = notes_of(domain);
  const auto says = [&](std::string_view words) { return notes.find(words) != notes.npos; };
  return texts_of(domain.settings)[{0, "MACHINE"}] +
         (says("is no machine type of this QEMU")                          ? ", told"
          : says("machine with a PCI bus that vm-runner's devices can be") ? ", foreign"
                                                                           : "");
}

std::string of_x86(const std::string& machine) {
  return machine_of("arch='x86_64' machine='" + machine + "'");
}

std::string of_arm(const std::string& machine) {
  return machine_of("arch='aarch64' machine='" + machine + "'");
}

}  // namespace

TEST_CASE("machine types of other distributions become the newest of their kind, and are told") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"pc-q35-rhel9.6.0", "q35, told"},
      {"pc-q35-noble-v2", "q35, told"},
      {"pc-q35-8.2+pve0", "q35, told"},
      {"pc-i440fx-jammy", "pc, told"},
      {"pc-i440fx-rhel7.6.0", "pc, told"},
      {"pc-i440fx-", "pc, told"},
      {"pc-1.3", "pc, told"},
      {"pc-0.12", "pc, told"},
      {"rhel6.6.0", "pc, told"},
      {"ubuntu", "pc, told"},
      {"ubuntu-q35", "q35, told"},
      {"pc-q35-7.2", "pc-q35-7.2"},
      {"pc-q35-4.0.1", "pc-q35-4.0.1"},
      {"pc-q35-2.12", "pc-q35-2.12"},
      {"pc-i440fx-10.0", "pc-i440fx-10.0"},
      {"pc-i440fx-1.4", "pc-i440fx-1.4"},
      {"q35", "q35"},
      {"pc", "pc"}};
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(of_x86(row.first) == row.second);
  }
  CHECK(of_arm("virt-rhel9.4.0") == "virt, told");
  CHECK(of_arm("virt-9.0") == "virt-9.0");
  CHECK(of_arm("virt") == "virt");
}

TEST_CASE("a release that QEMU has not made becomes the newest of its kind, and is told") {
  for (const std::string release :
       {"99.0", "12.0", "8.3", "3.2", "2.13", "2.3", "07.2", "7.02", "7", "7.", ".7", "7.2.1",
        "4.0.2", "99999999999.0", "-1.0", "7.-2"}) {
    CAPTURE(release);
    CHECK(of_x86("pc-q35-" + release) == "q35, told");
  }
  CHECK(of_x86("pc-i440fx-99.0") == "pc, told");
  CHECK(of_x86("pc-i440fx-1.8") == "pc, told");
  CHECK(of_x86("pc-i440fx-1.3") == "pc, told");
  CHECK(of_arm("virt-99.0") == "virt, told");
  CHECK(of_arm("virt-2.5") == "virt, told");
}

TEST_CASE("a machine that cannot have our devices becomes one that can, and is told") {
  for (const std::string machine :
       {"isapc", "microvm", "none", "xenfv", "xenfv-4.2", "xenpv", "x-remote", "virt", "virt-9.0",
        "raspi3b", "s390-ccw-virtio", "pseries", "Q35", "q35-7.2", "pcx", ""}) {
    CAPTURE(machine);
    CHECK(of_x86(machine) == "q35, foreign");
  }
  for (const std::string machine :
       {"q35", "pc", "pc-q35-9.0", "pc-i440fx-rhel7.6.0", "sbsa-ref", "raspi3b", "none", ""}) {
    CAPTURE(machine);
    CHECK(of_arm(machine) == "virt, foreign");
  }
  CHECK(
      notes_of(imported("<domain type='qemu'><os><type arch='x86_64' machine='microvm'>hvm</type>"
                        "<kernel>/k</kernel></os></domain>"))
          .find("domain.xml:1: <type arch='x86_64'>: carried over, but 'microvm' is no x86 "
                "machine with a PCI bus that vm-runner's devices can be on: MACHINE is 'q35'\n") !=
      std::string::npos);
}

TEST_CASE("a machine of a kind that one architecture has needs no architecture") {
  const auto arch_of = [](const std::string& attributes) {
    return texts_of(imported("<domain type='qemu'><os><type " + attributes +
                             ">hvm</type><kernel>/k</kernel></os></domain>")
                        .settings)[{0, "ARCH"}];
  };
  CHECK(machine_of("machine='virt-9.0'") == "virt-9.0");
  CHECK(arch_of("machine='virt-9.0'") == "aarch64");
  CHECK(arch_of("machine='virt'") == "aarch64");
  CHECK(machine_of("machine='q35'") == "q35");
  CHECK(arch_of("machine='q35'") == "");
  CHECK(arch_of("") == "");
  CHECK(machine_of("") == "");
}

}  // namespace vmr::test
