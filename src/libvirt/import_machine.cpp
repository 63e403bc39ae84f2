// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "libvirt/import_parts.hpp"
#include "libvirt/qemu_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace vmr {
namespace {

/// Bytes in one of libvirt's units; none for a word that is none.
std::optional<std::uint64_t> bytes_in(std::string_view unit) {
  constexpr std::string_view prefixes = "kmgtpe";
  const auto lower = ascii_lower(unit);
  if (lower == "b" || lower == "bytes") return 1;
  const auto power = lower.empty() ? lower.npos : prefixes.find(lower.front());
  const auto rest = lower.substr(std::min<std::size_t>(1, lower.size()));
  if (power == prefixes.npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
  std::uint64_t bytes = 1;
  for (std::size_t i = 0; i <= power; ++i) bytes *= rest == "b" ? 1000 : 1024;
  return bytes;
}

/// The amount that libvirt takes `number` in `unit` for.
std::optional<std::uint64_t> bytes_of(std::string_view number_text, std::string_view unit_text) {
  const auto unit = bytes_in(unit_text);
  const auto number = number_in(number_text);
  if (!unit || !number || *number > std::numeric_limits<std::uint64_t>::max() / *unit) {
    return std::nullopt;
  }
  return *number * *unit;
}

/// The amount of an element such as <memory unit='GiB'>2</memory>.
std::optional<std::uint64_t> take_bytes(DomainElement& element) {
  return bytes_of(element.text, take(element, "unit").value_or("KiB"));
}

void import_type(DomainElement& domain, Import& import) {
  const auto type = take(domain, "type").value_or("");
  if (type == "qemu") {
    import.set("ACCEL", "tcg");
  } else if (type != "kvm") {
    import.lose(domain, "the machine is one of QEMU's, under KVM or TCG", NoteWeight::stops);
  }
  // KVM is the default where it works; where it does not, a slow guest is told of, and is better
  // than none.
}

void import_name(DomainElement& domain, Import& import) {
  constexpr std::size_t longest = 63;
  const auto* element = take_child(domain, "name");
  if (element == nullptr) return;
  std::string name = element->text.substr(0, longest);
  for (auto& c : name) {
    if (!is_name({&c, 1})) c = '-';
  }
  if (name.empty() || letters_and_digits.find(name.front()) == letters_and_digits.npos) {
    name = ("vm" + name).substr(0, longest);
  }
  import.set("GUEST_NAME", name);
  if (name == element->text) return;
  import.change(*element, fmt::format("as '{}': a name has up to 63 letters, digits, '-', '.' and "
                                      "'_', the first a letter or a digit",
                                      name));
}

std::string_view unit_of(const DomainElement& cell) {
  const auto unit = peek(cell, "unit");
  return unit.empty() ? "KiB" : unit;
}

/// The memory of the domain's NUMA cells together, which libvirt takes before that of <memory>;
/// none where there are no cells, or one of them has no amount.
std::optional<std::uint64_t> bytes_of_cells(DomainElement& domain) {
  auto* cpu = find_child(domain, "cpu");
  auto* numa = cpu == nullptr ? nullptr : find_child(*cpu, "numa");
  std::optional<std::uint64_t> sum;
  if (numa == nullptr) return sum;
  for (const auto& cell : numa->children) {
    if (cell.name != "cell") continue;
    const auto bytes = bytes_of(peek(cell, "memory"), unit_of(cell));
    if (!bytes || *bytes > std::numeric_limits<std::uint64_t>::max() - sum.value_or(0)) return {};
    sum = sum.value_or(0) + *bytes;
  }
  return sum;
}

void import_memory(DomainElement& domain, Import& import) {
  constexpr std::uint64_t mebibyte = std::uint64_t{1024} * 1024;
  constexpr std::uint64_t lowest = 16;
  constexpr std::uint64_t highest = std::uint64_t{16} * 1024 * 1024;
  const auto of_cells = bytes_of_cells(domain);
  auto* memory = take_child(domain, "memory");
  if (memory == nullptr && !of_cells) return;
  const auto of_memory = memory == nullptr ? std::nullopt : take_bytes(*memory);
  const auto bytes = of_cells ? of_cells : of_memory;
  const auto size = bytes.value_or(0) / mebibyte + (bytes.value_or(0) % mebibyte == 0 ? 0 : 1);
  if (size < lowest || size > highest) {
    import.lose(memory == nullptr ? domain : *memory,
                "not an amount from 16 MiB to 16 TiB; set MEMORY");
    return;
  }
  import.set("MEMORY", std::to_string(size));
  auto* current = take_child(domain, "currentMemory");
  if (current != nullptr && take_bytes(*current) != bytes) {
    import.lose(*current, fmt::format("the guest has all of its {} MiB from the start; set MEMORY "
                                      "to what it is to have",
                                      size));
  }
}

std::string import_vcpus(DomainElement& domain, Import& import) {
  constexpr std::uint64_t highest = 255;
  auto* vcpu = take_child(domain, "vcpu");
  // libvirt's own default.
  std::string cpus = vcpu == nullptr ? "1" : vcpu->text;
  if (vcpu != nullptr) {
    const auto current = take(*vcpu, "current").value_or(cpus);
    if (current != cpus) {
      import.lose(*vcpu, "no CPU is added while the machine runs: it has those of 'current'");
    }
    cpus = current;
    const auto number = number_in(cpus);
    if (!number || *number < 1 || *number > highest) {
      import.lose(*vcpu, "not a number from 1 to 255; set CPUS");
      return cpus;
    }
  }
  import.set("CPUS", cpus);
  return cpus;
}

/// Whether it is of the kind that only ARM has of the architectures that there are here.
bool is_virt(std::string_view machine) {
  return machine == "virt" || machine.starts_with("virt-");
}

void import_machine_type(DomainElement& type, Import& import) {
  if (type.text != "hvm") {
    import.lose(type, "only whole machines (hvm) can be made", NoteWeight::stops);
  }
  const auto arch = take_word(type, "arch", {"x86_64", "aarch64", "i686"}).value_or("");
  // A 32-bit guest runs on the 64-bit machine.
  import.set("ARCH", arch == "i686" ? "x86_64" : import.is_arm ? "aarch64" : arch);
  const auto asked = std::string(peek(type, "machine"));
  const auto choice = choose_machine(asked, import.is_arm);
  // What is no name at all is told of as such.
  if (choice.fit == MachineFit::foreign && !asked.empty() && !is_name(asked)) return;
  if (!take(type, "machine")) return;
  const auto machine = std::string(choice.name);
  if (choice.fit == MachineFit::of_a_kind) {
    import.change(type, fmt::format("'{}' is no machine type of this QEMU, but of a distribution's "
                                    "own, an old or an unknown one: MACHINE is '{}', the newest of "
                                    "its kind",
                                    asked, machine));
  } else if (choice.fit == MachineFit::foreign) {
    import.change(type,
                  fmt::format("'{}' is no {} machine with a PCI bus that vm-runner's devices can "
                              "be on: MACHINE is '{}'",
                              asked, import.is_arm ? "ARM" : "x86", machine));
  }
  import.set("MACHINE", machine);
  import.is_i440fx =
      machine == "pc" || (machine.starts_with("pc-") && !machine.starts_with("pc-q35-"));
  if (import.is_i440fx) {
    import.change(type,
                  "no share can be added to this machine while it runs: its bus has no root "
                  "ports (leave MACHINE out for q35)");
  }
}

/// The letters of QEMU's `-boot order=` for <boot dev=…>; sets it where it is not the default.
void import_boot_order(DomainElement& os, Import& import) {
  constexpr std::array<std::pair<std::string_view, char>, 3> letters = {
      {{"hd", 'c'}, {"cdrom", 'd'}, {"fd", 'a'}}};
  std::string order;
  for (auto& child : os.children) {
    if (child.name != "boot") continue;
    const auto* letter = std::find_if(letters.begin(), letters.end(), [&](const auto& candidate) {
      return candidate.first == peek(child, "dev");
    });
    if (letter == letters.end()) continue;
    take_all(child);
    order += letter->second;
  }
  // A kernel of ours starts before any disk.
  if (order.empty() || order == "c" || import.has("KERNEL") || import.is_arm) return;
  import.add_arguments({"-boot", "order=" + order});
}

void import_system(DomainElement& domain, Import& import) {
  auto* os = take_child(domain, "os");
  if (os == nullptr) return;
  if (auto* type = take_child(*os, "type")) import_machine_type(*type, import);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> files = {
      {{"kernel", "KERNEL"}, {"initrd", "INITRD"}}};
  for (const auto& [name, setting] : files) {
    const auto* file = take_child(*os, name);
    if (file != nullptr) import.set_path(*file, 0, std::string(setting), file->text);
  }
  if (const auto* cmdline = take_child(*os, "cmdline")) import.set("CMDLINE", cmdline->text);
  // An ARM machine that boots from its disk has UEFI with us, too.
  if (import.is_arm && peek(*os, "firmware") == "efi") take(*os, "firmware");
  import_boot_order(*os, import);
}

void import_clock(DomainElement& domain, Import& import) {
  auto* clock = find_child(domain, "clock");
  if (clock == nullptr) return;
  if (take_word(*clock, "offset", {"localtime"})) import.add_arguments({"-rtc", "base=localtime"});
  for (auto& timer : clock->children) {
    if (import.is_arm || peek(timer, "name") != "hpet" || peek(timer, "present") != "no") continue;
    take_all(timer);
    import.add_arguments({"-machine", "hpet=off"});
  }
}

}  // namespace

void import_machine(DomainElement& domain, Import& import) {
  if (auto* os = find_child(domain, "os")) {
    const auto* type = find_child(*os, "type");
    const auto arch = type == nullptr ? std::string_view{} : peek(*type, "arch");
    // libvirt's own default is the host's architecture; of no other machine is there one called so.
    import.is_arm =
        arch == "aarch64" || (type != nullptr && arch.empty() && is_virt(peek(*type, "machine")));
  }
  import_name(domain, import);
  import_type(domain, import);
  import_memory(domain, import);
  const auto cpus = import_vcpus(domain, import);
  import_cpu(domain, cpus, import);
  import_system(domain, import);
  import_clock(domain, import);
}

}  // namespace vmr
