// SPDX-License-Identifier: MIT
#include "base/ascii.hpp"
#include "libvirt/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace vmr {
namespace {

constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Whether `text` is one of QEMU's own names: of a machine, a CPU model, a feature.
bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return letters_and_digits.find(c) != letters_and_digits.npos || c == '-' || c == '.' ||
           c == '_';
  });
}

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

/// The amount of an element such as <memory unit='GiB'>2</memory>.
std::optional<std::uint64_t> bytes_of(DomainElement& element) {
  const auto unit = bytes_in(take(element, "unit").value_or("KiB"));
  const auto number = number_in(element.text);
  if (!unit || !number || *number > std::numeric_limits<std::uint64_t>::max() / *unit) {
    return std::nullopt;
  }
  return *number * *unit;
}

void import_type(DomainElement& domain, Import& import) {
  const auto type = take(domain, "type").value_or("");
  if (type == "kvm") {
    import.set("ACCEL", "kvm");
  } else if (type == "qemu") {
    import.set("ACCEL", "tcg");
  } else {
    import.lose(domain, "the machine is one of QEMU's, under KVM or TCG");
  }
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

void import_memory(DomainElement& domain, Import& import) {
  constexpr std::uint64_t mebibyte = std::uint64_t{1024} * 1024;
  constexpr std::uint64_t lowest = 16;
  constexpr std::uint64_t highest = std::uint64_t{16} * 1024 * 1024;
  auto* memory = take_child(domain, "memory");
  if (memory == nullptr) return;
  const auto bytes = bytes_of(*memory);
  const auto size = bytes.value_or(0) / mebibyte + (bytes.value_or(0) % mebibyte == 0 ? 0 : 1);
  if (size < lowest || size > highest) {
    import.lose(*memory, "not an amount from 16 MiB to 16 TiB; set MEMORY");
    return;
  }
  import.set("MEMORY", std::to_string(size));
  auto* current = take_child(domain, "currentMemory");
  if (current != nullptr && bytes_of(*current) != bytes) {
    import.lose(*current, fmt::format("the guest has all of its {} MiB from the start; set MEMORY "
                                      "to what it is to have",
                                      size));
  }
}

/// Whether `topology` is the one that QEMU makes of a number of CPUs: one socket of cores.
bool is_plain(const DomainElement& topology, const std::string& cpus) {
  return std::all_of(topology.attributes.begin(), topology.attributes.end(),
                     [&](const DomainAttribute& part) {
                       return part.value == (part.name == "cores" ? std::string_view(cpus) : "1");
                     });
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

/// ",+x" for the feature, marked as read; empty when it is not one that can be carried over.
std::string import_feature(DomainElement& feature) {
  const auto policy = peek(feature, "policy");
  const bool on =
      policy == "require" || policy == "force" || policy == "optional" || policy.empty();
  const bool off = policy == "disable" || policy == "forbid";
  const auto name = std::string(peek(feature, "name"));
  if ((!on && !off) || !is_name(name)) return {};
  feature.taken = take(feature, "name").has_value();
  take(feature, "policy");
  return fmt::format(",{}{}", on ? '+' : '-', name);
}

std::string import_model(DomainElement& cpu, Import& import) {
  const auto mode = take_word(cpu, "mode", {"host-passthrough", "host-model", "maximum", "custom"});
  if (mode == "host-passthrough") return "host";
  if (mode == "maximum") return "max";
  auto* model = take_child(cpu, "model");
  if (mode == "host-model") {
    import.change(cpu, "as CPU_MODEL=host: the CPU itself, not the model that is nearest to it");
    if (model != nullptr) take_all(*model);
    return "host";
  }
  if (model == nullptr) return {};
  take_word(*model, "fallback", {"allow", "forbid"});
  if (is_name(model->text)) return model->text;
  import.lose(*model, "not a name of a CPU model; set CPU_MODEL");
  return {};
}

void import_cpu(DomainElement& domain, const std::string& cpus, Import& import) {
  auto* cpu = take_child(domain, "cpu");
  if (cpu == nullptr) return;
  auto model = import_model(*cpu, import);
  std::string features;
  for (auto& child : cpu->children) {
    if (child.name == "feature" && !model.empty()) features += import_feature(child);
    if (child.name == "topology" && is_plain(child, cpus)) take_all(child);
  }
  import.set("CPU_MODEL", model.empty() ? model : model + features);
}

void import_machine_type(DomainElement& type, Import& import) {
  if (type.text != "hvm") import.lose(type, "only whole machines (hvm) can be made");
  const auto arch = take_word(type, "arch", {"x86_64", "aarch64"}).value_or("");
  import.is_arm = arch == "aarch64";
  import.set("ARCH", arch);
  const auto machine = std::string(peek(type, "machine"));
  if (!is_name(machine)) return;
  take(type, "machine");
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
  import_name(domain, import);
  import_type(domain, import);
  import_memory(domain, import);
  const auto cpus = import_vcpus(domain, import);
  import_cpu(domain, cpus, import);
  import_system(domain, import);
  import_clock(domain, import);
}

}  // namespace vmr
