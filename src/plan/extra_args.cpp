// SPDX-License-Identifier: MIT
#include "plan/extra_args.hpp"

#include "base/qemu_words.hpp"
#include "base/units.hpp"
#include "config/secrets.hpp"
#include "config/variables.hpp"
#include "plan/argument_claims.hpp"
#include "plan/argument_needs.hpp"
#include "plan/qemu_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace vmr {
namespace {

/// What QEMU makes of two.
struct Fate {
  std::string_view text;
  bool is_refused = false;
};
constexpr Fate takes_last = {"QEMU takes the last"};
constexpr Fate refuses_both = {"QEMU refuses both", true};

enum class Memory { any, shared, own };

/// An option that does not go with one of ours.
struct Rule {
  std::string_view theirs;
  std::string_view key;  ///< collides only with this key; empty: always
  std::string_view ours;
  std::string_view setting;  ///< that changes ours; empty: none does
  Fate fate;
  Memory memory = Memory::any;   ///< collides only with this memory of the guest
  std::string_view ours_ends{};  ///< tells ours from others of its kind
};

constexpr std::array rules = std::to_array<Rule>({
    {"m", "size", "m", "MEMORY", takes_last, Memory::own},
    {"m",
     "size",
     "m",
     "MEMORY",
     {"QEMU refuses any size but the shared memory's", true},
     Memory::shared},
    {"mem-path",
     "",
     "machine",
     "",
     {"QEMU refuses it beside a memory-backend; give -object memory-backend-file,share=on and name "
      "it by -machine memory-backend=, or set HOTPLUG_SHARES=0 where no share is virtiofs",
      true},
     Memory::shared},
    {"smp", "cpus", "smp", "CPUS", takes_last},
    {"cpu", "", "cpu", "CPU_MODEL", takes_last},
    {"machine", "type", "machine", "MACHINE", takes_last},
    {"M", "type", "machine", "MACHINE", takes_last},
    {"machine", "accel", "accel", "ACCEL", refuses_both},
    {"M", "accel", "accel", "ACCEL", refuses_both},
    {"enable-kvm", "", "accel", "ACCEL", refuses_both},
    {"accel", "", "accel", "ACCEL", {"QEMU takes the first that works"}},
    {"name", "guest", "name", "GUEST_NAME", takes_last},
    {"kernel", "", "kernel", "KERNEL", takes_last},
    {"initrd", "", "initrd", "INITRD", takes_last},
    {"append", "", "append", "CMDLINE", takes_last},
    {"bios", "", "bios", "", takes_last},
    {"display", "", "display", "", takes_last},
    {"serial",
     "",
     "device",
     "",
     {"yours is the guest's first serial port, the console its second"},
     Memory::any,
     "chardev=console"},
    {"snapshot",
     "",
     "drive",
     "PERSIST",
     {"QEMU drops what the guest writes"},
     Memory::any,
     "format=qcow2"},
});

/// What changes how the machine starts or ends, and how.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> upsets = {
    {{"S", "the machine waits until a monitor of yours says 'cont'"},
     {"preconfig", "the machine waits until a monitor of yours says 'x-exit-preconfig'"},
     {"incoming", "the machine waits for the state of another one"},
     {"readconfig",
      "nobody but QEMU reads the file: what in it collides with our arguments, or leads the "
      "guest to another seed, is told of only where it stands among your arguments itself"},
     {"no-shutdown", "QEMU stays when the guest powers off, and is ended within STOP_TIMEOUT"}}};

/// What the first word of an option is the value of.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> first_keys = {
    {{"m", "size"}, {"smp", "cpus"}, {"machine", "type"}, {"M", "type"}, {"name", "guest"}}};

/// One option, and what of it is of interest.
struct Placed {
  std::string_view group;
  QemuOptionWords words;
  QemuKeys keys;
};
std::vector<Placed> options_of(const QemuPlan& qemu, bool users) {
  std::vector<Placed> options;
  for (const auto& group : qemu.groups) {
    if (is_users_group(group.name) != users) continue;
    for (auto& words : split_options(group.written.empty() ? group.arguments : group.written)) {
      auto keys = read_keys(words.value);
      for (const auto& [name, key] : first_keys) {
        if (name == words.name && keys.contains("")) keys.emplace(key, last_value(keys, ""));
      }
      options.push_back({group.name, std::move(words), std::move(keys)});
    }
  }
  return options;
}

bool applies(const Rule& rule, const Placed& theirs, Memory memory) {
  return rule.theirs == theirs.words.name &&
         (rule.key.empty() || theirs.keys.contains(std::string(rule.key))) &&
         (rule.memory == Memory::any || rule.memory == memory);
}

/// What a collision is told as: the user's words, ours with the setting behind it, the outcome.
Collision describe(const std::string& origin, const Placed& theirs, const Placed* ours,
                   const std::string& setting, const Fate& fate) {
  auto text = fmt::format("{}: '{}'", origin, without_secrets(theirs.words.text));
  if (ours != nullptr) text += fmt::format(" and our '{}'", ours->words.text);
  if (!setting.empty()) text += fmt::format(" ({})", setting);
  text += fmt::format(": {}", fate.text);
  if (!setting.empty()) text += fmt::format("; set {} instead", setting);
  return {std::move(text), fate.is_refused};
}

/// The option of ours that `rule` is about; none when there is none, or it says the same.
const Placed* find_ours(const Rule& rule, const Placed& theirs, const std::vector<Placed>& ours) {
  const auto found = std::find_if(ours.begin(), ours.end(), [&](const Placed& option) {
    return option.words.name == rule.ours && option.words.value != theirs.words.value &&
           option.words.value.ends_with(rule.ours_ends);
  });
  return found == ours.end() ? nullptr : &*found;
}

/// The number of the share that `ours` belongs to; none for other arguments.
std::optional<int> share_of(const Placed& ours) {
  constexpr std::string_view prefix = "share";
  for (const auto* key : {"chardev", "fsdev"}) {
    const auto id = last_value(ours.keys, key);
    if (ours.group != "shares" || !id.starts_with(prefix)) continue;
    const auto number = parse_number(id.substr(prefix.size()), 1, max_share_number);
    if (const auto* value = std::get_if<std::uint64_t>(&number)) return static_cast<int>(*value);
  }
  return std::nullopt;
}

/// The setting that changes what `ours` has of this kind; empty: none does.
std::string setting_behind(const Placed& ours, ClaimKind kind) {
  if (kind == ClaimKind::host_port) return "SSH_PORT";
  const bool is_place = kind == ClaimKind::address || kind == ClaimKind::chassis;
  if (is_place && ours.group == "hotplug") return "HOTPLUG_SHARES";
  const auto share = kind == ClaimKind::tag ? share_of(ours) : std::nullopt;
  return share ? share_variable(*share, "TARGET") : std::string();
}

void add_rule_collisions(const std::string& origin, const Placed& theirs,
                         const std::vector<Placed>& ours, Memory memory,
                         std::vector<Collision>& collisions) {
  for (const auto& [name, outcome] : upsets) {
    if (name == theirs.words.name) {
      collisions.push_back(describe(origin, theirs, nullptr, "", {outcome}));
    }
  }
  for (const auto& rule : rules) {
    const auto* same = applies(rule, theirs, memory) ? find_ours(rule, theirs, ours) : nullptr;
    if (same == nullptr) continue;
    collisions.push_back(describe(origin, theirs, same, std::string(rule.setting), rule.fate));
  }
}

void add_claim_collisions(const std::string& origin, const Placed& theirs,
                          const std::vector<Placed>& ours, std::vector<Collision>& collisions) {
  for (const auto& claim : claims_of(theirs.words.name, theirs.keys)) {
    const auto same = std::find_if(ours.begin(), ours.end(), [&](const Placed& option) {
      return makes_claim(option.words.name, option.keys, claim);
    });
    if (same == ours.end()) continue;
    const auto outcome = outcome_of(claim);
    collisions.push_back(describe(origin, theirs, &*same, setting_behind(*same, claim.kind),
                                  {outcome.text, outcome.is_refused}));
  }
}

/// What the option needs and does not find; see Givens.
void add_missing(const std::string& origin, const Placed& theirs, const Givens& givens,
                 std::vector<Collision>& collisions) {
  const auto missing = givens.find_missing(theirs.words.name, theirs.keys, theirs.words.value);
  if (missing.empty()) return;
  const auto text = "QEMU refuses it: " + missing;
  collisions.push_back(describe(origin, theirs, nullptr, "", {text, true}));
}

/// The machine type of `options`.
std::string machine_of(const std::vector<Placed>& options) {
  for (const auto& option : options) {
    if (option.words.name == "machine") return last_value(option.keys, "type");
  }
  return {};
}

/// `-global …disable-modern=on` in either of its notations.
bool disables_modern(const Placed& option) {
  if (option.words.name != "global") return false;
  const bool is_long = last_value(option.keys, "property") == "disable-modern";
  const auto short_form = option.words.value.find(".disable-modern=");
  return is_long || short_form != option.words.value.npos;
}

/// The legacy virtio of old guests, which virtiofs never was.
void add_disabled_modern(const std::string& origin, const Placed& theirs,
                         const std::vector<Placed>& ours, std::vector<Collision>& collisions) {
  if (!disables_modern(theirs)) return;
  const auto virtiofs = std::find_if(ours.begin(), ours.end(), [](const Placed& option) {
    return last_value(option.keys, "") == "vhost-user-fs-pci";
  });
  if (virtiofs == ours.end()) return;
  collisions.push_back(
      describe(origin, theirs, &*virtiofs, "",
               {"QEMU refuses it, as virtiofs has no legacy form; name the devices that are to "
                "have one instead of all, or use FILESYSTEM_DRIVER=9p",
                true}));
}

}  // namespace

std::vector<Collision> find_collisions(const QemuPlan& qemu, const Origin& extra_args) {
  const auto ours = options_of(qemu, false);
  const bool is_shared = std::any_of(ours.begin(), ours.end(), [](const Placed& option) {
    return option.words.name == "machine" && option.keys.contains("memory-backend");
  });
  Givens givens(machine_of(ours));
  for (const auto& option : ours) givens.add(option.words.name, option.keys);
  std::vector<Collision> collisions;
  for (const auto& theirs : options_of(qemu, true)) {
    const auto origin =
        theirs.group == extra_group ? describe(extra_args) : "behind -- (command line)";
    add_rule_collisions(origin, theirs, ours, is_shared ? Memory::shared : Memory::own, collisions);
    add_claim_collisions(origin, theirs, ours, collisions);
    add_disabled_modern(origin, theirs, ours, collisions);
    add_missing(origin, theirs, givens, collisions);
    givens.add(theirs.words.name, theirs.keys);
  }
  return collisions;
}

}  // namespace vmr
