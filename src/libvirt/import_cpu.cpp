// SPDX-License-Identifier: MIT
#include "libvirt/import_parts.hpp"
#include "libvirt/qemu_names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

/// Whether `topology` is the one that QEMU makes of a number of CPUs: one socket of cores.
bool is_plain(const DomainElement& topology, const std::string& cpus) {
  return std::all_of(topology.attributes.begin(), topology.attributes.end(),
                     [&](const DomainAttribute& part) {
                       return part.value == (part.name == "cores" ? std::string_view(cpus) : "1");
                     });
}

/// ",+x" for the feature, marked as read; empty when it is not one that can be carried over.
std::string import_feature(DomainElement& feature, Import& import) {
  const auto policy = peek(feature, "policy");
  const bool on =
      policy == "require" || policy == "force" || policy == "optional" || policy.empty();
  const bool off = policy == "disable" || policy == "forbid";
  const auto name = std::string(peek(feature, "name"));
  if ((!on && !off) || !is_name(name)) return {};
  if (is_feature_of_libvirt(name, import.is_arm)) {
    if (on) import.lose(feature, "no QEMU has this feature for CPU_MODEL; only libvirt knows it");
    take_all(feature);
    return {};
  }
  feature.taken = take(feature, "name").has_value();
  take(feature, "policy");
  return import.is_arm ? fmt::format(",{}={}", name, on ? "on" : "off")
                       : fmt::format(",{}{}", on ? '+' : '-', name);
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
  if (is_model_of_libvirt(model->text)) {
    import.lose(*model, "no QEMU has this CPU model any more; the default is used (CPU_MODEL)");
    return {};
  }
  if (is_name(model->text)) return model->text;
  import.lose(*model, "not a name of a CPU model; set CPU_MODEL");
  return {};
}

}  // namespace

void import_cpu(DomainElement& domain, const std::string& cpus, Import& import) {
  auto* cpu = take_child(domain, "cpu");
  if (cpu == nullptr) return;
  auto model = import_model(*cpu, import);
  std::string features;
  for (auto& child : cpu->children) {
    if (child.name == "feature" && !model.empty()) features += import_feature(child, import);
    if (child.name == "topology" && is_plain(child, cpus)) take_all(child);
  }
  import.set("CPU_MODEL", model.empty() ? model : model + features);
}

}  // namespace vmr
