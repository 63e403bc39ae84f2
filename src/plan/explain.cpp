// SPDX-License-Identifier: MIT
#include "plan/explain.hpp"

#include "base/printable.hpp"
#include "base/shell_words.hpp"
#include "config/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace vmr {
namespace {

using Names = std::vector<std::string_view>;

/// What a group of arguments is for, and the settings of the VM that shape it.
struct Topic {
  std::string_view group;
  std::string_view purpose;
  std::array<std::string_view, 6> settings{};
};

constexpr auto topics = std::to_array<Topic>({
    {"base", "nothing that QEMU would add by itself, and no window", {"GUEST_NAME"}},
    {"machine",
     "the machine, its CPUs and what runs them",
     {"MACHINE", "ARCH", "ACCEL", "REQUIRE_KVM", "CPU_MODEL", "CPUS"}},
    {"memory",
     "the guest's memory; a block that virtiofsd can map too, where it has to",
     {"MEMORY", "HOTPLUG_SHARES"}},
    {"boot", "what is started first", {"KERNEL", "INITRD", "CMDLINE", "BASE_IMAGE"}},
    {"disk", "the guest's disk", {"BASE_IMAGE", "PERSIST", "DATA_DIR"}},
    {"seed",
     "the NoCloud image, by which cloud-init learns of its shares and its user",
     {"CLOUD_INIT", "CLOUD_INIT_USER_DATA", "GUEST_PASSWORD", "GUEST_PASSWORD_FILE", "SSH_PUBKEY",
      "GUEST_NAME"}},
    {"network", "a network of QEMU's own, which needs no privilege", {"SSH_PORT", "NETWORK"}},
    {"entropy", "randomness from the host, so that the guest's keys do not wait for it"},
    {"console", "the guest's serial port, whose other end the launcher has", {"ARCH"}},
    {"ports", "the ways between launcher and guest: its words about its mounts, and its agent"},
    {"panic", "tells QEMU, and so the launcher, that the guest's kernel has panicked"},
    {"control", "QEMU's monitor, by which the launcher rules it"},
    {"hotplug", "free slots for shares that `share add` brings later", {"HOTPLUG_SHARES"}},
    {"sandbox", "system calls that QEMU does without are taken from it", {"EXTRA_ARGS"}},
    {"extra", "your own arguments, as they are", {"EXTRA_ARGS"}},
    {"command-line", "your own arguments behind --, as they are"},
});

const Topic& topic_of(std::string_view group) {
  static constexpr Topic unknown{};
  const auto found = std::find_if(topics.begin(), topics.end(),
                                  [&](const Topic& topic) { return topic.group == group; });
  return found == topics.end() ? unknown : *found;
}

const SharePlan* share_of(const Part& part, const LaunchPlan& plan) {
  const auto found = std::find_if(
      plan.shares.begin(), plan.shares.end(),
      [&](const SharePlan& share) { return part.share != 0 && share.share.number == part.share; });
  return found == plan.shares.end() ? nullptr : &*found;
}

/// The settings of a share that shape its helper, or its arguments of QEMU.
Names share_settings_of(const Part& part, const SharePlan& share) {
  if (part.is_helper) {
    return {"SOURCE", "DRIVER",    "READONLY",         "CACHE",           "SANDBOX", "OWNER",
            "XATTR",  "POSIX_ACL", "PRIVILEGED_FILES", "THREAD_POOL_SIZE"};
  }
  if (share.helper) return {"TARGET", "DRIVER", "QUEUE_SIZE"};
  Names names = {"SOURCE", "TARGET", "DRIVER", "ACCESSMODE", "READONLY", "MULTIDEVS", "WRPOLICY"};
  if (share.share.accessmode == AccessMode::mapped) {
    names.insert(names.end(), {"FMODE", "DMODE"});
  }
  return names;
}

/// Where the user said it; a word of the command line is not repeated.
std::string place_of(const Origin& origin) {
  switch (origin.source) {
    case Source::file:
      return origin.place;
    case Source::environment:
      return "environment";
    case Source::command_line:
      return "--set";
    case Source::default_value:
      break;
  }
  return "default";
}

std::string shown(const SettingKey& key, const std::string& text) {
  return is_secret(key) ? "(hidden)" : on_one_line(shell_quote(text));
}

/// "MEMORY=2G (environment)", or what the default is and does.
std::string describe_setting(const SettingKey& key, const GivenTexts& given) {
  const auto variable = variable_of(key);
  const auto found = given.find(key);
  if (found != given.end()) {
    return fmt::format("{}={} ({})", variable, shown(key, found->second.value),
                       on_one_line(place_of(found->second.origin)));
  }
  const auto row = row_of(key);
  if (row.default_value.empty()) return fmt::format("{} is not set: {}", variable, row.meaning);
  return fmt::format("{}={} (default): {}", variable, row.default_value, row.meaning);
}

/// Which shares, or what else, makes the memory shared.
std::string why_shared(const LaunchPlan& plan) {
  for (const auto& share : plan.shares) {
    if (share.helper) {
      return fmt::format("shared, since virtiofsd serves share #{} from it", share.share.number);
    }
  }
  return plan.hotplug_ports.empty() ? "private: nobody else has to see it"
                                    : "shared, since a share may be added while it runs";
}

bool has_option(const ProcessPlan& process, std::string_view option) {
  return std::any_of(process.argv.begin(), process.argv.end(),
                     [&](const std::string& word) { return word.starts_with(option); });
}

std::vector<std::string> notes_of_helper(const SharePlan& plan, const GivenTexts& given) {
  const auto& share = plan.share;
  std::vector<std::string> notes;
  if (!given.contains({share.number, "SANDBOX"})) {
    notes.push_back(
        fmt::format("--sandbox: '{}' is the strongest that works here", word_for(share.sandbox)));
  }
  notes.emplace_back("--fd: the launcher binds the socket and hands it over");
  if (has_option(*plan.helper, "--inode-file-handles")) {
    notes.emplace_back("--inode-file-handles: never, unless CAP_DAC_READ_SEARCH is there");
  }
  notes.emplace_back("--rlimit-nofile: as many open files as this host allows");
  return notes;
}

std::vector<std::string> notes_of(const Part& part, const LaunchPlan& plan,
                                  const GivenTexts& given) {
  if (part.name == "memory") return {why_shared(plan)};
  if (part.name == "machine" && plan.attempts.size() > 1) {
    return {"run tries KVM first, and TCG when QEMU cannot start with it"};
  }
  if (part.name == "boot") {
    return {"what is not set, and what CMDLINE is added to, is from the guest.toml of the guest"};
  }
  if (part.name == "disk") {
    if (!plan.persistent_disk) {
      return {"changes are dropped at the end: the image stays as it is"};
    }
    return {plan.persistent_disk->is_copy ? "changes go into the copy that is kept in DATA_DIR"
                                          : "changes go into the overlay that is kept in DATA_DIR",
            "backing: the images by name, so that no header chooses what is opened"};
  }
  const auto* share = share_of(part, plan);
  if (share == nullptr) return {};
  if (part.is_helper) return notes_of_helper(*share, given);
  return {fmt::format("the guest mounts it at {}", on_one_line(share->share.mount)),
          "addr: eight shares to a PCI slot, so that many fit"};
}

std::string title_of(const Part& part, const LaunchPlan& plan) {
  const auto* share = share_of(part, plan);
  if (share == nullptr) return fmt::format("{}: {}", part.name, topic_of(part.name).purpose);
  const auto source = on_one_line(share->share.source);
  if (part.is_helper) {
    return fmt::format("{}: serves {} to QEMU as share #{}", part.name, source, part.share);
  }
  return fmt::format("share #{}: {} as '{}' over {}", part.share, source,
                     on_one_line(share->share.tag), word_for(share->share.driver));
}

}  // namespace

std::vector<Part> parts_of(const LaunchPlan& plan, const QemuPlan& qemu) {
  std::vector<Part> parts;
  for (const auto& share : plan.shares) {
    if (share.helper) {
      parts.push_back({share.helper->name, share.share.number, true, share.helper->argv});
    }
  }
  for (const auto& group : qemu.groups)
    parts.push_back({group.name, group.share, false, group.arguments});
  return parts;
}

std::vector<Part> parts_named(const std::string& name, std::vector<Part> parts) {
  std::erase_if(parts, [&](const Part& part) {
    return part.name != name && !(part.is_helper && name == "shares");
  });
  return parts;
}

std::vector<ArgumentUnit> units_of(const std::vector<std::string>& arguments) {
  std::vector<ArgumentUnit> units;
  for (const auto& word : arguments) {
    const bool is_value = !units.empty() && units.back().size() == 1 && !word.starts_with('-') &&
                          units.back().front().starts_with('-') &&
                          units.back().front().find('=') == std::string::npos;
    if (is_value) {
      units.back().push_back(word);
    } else {
      units.push_back({word});
    }
  }
  return units;
}

std::vector<SettingKey> settings_of(const Part& part, const LaunchPlan& plan) {
  std::vector<SettingKey> keys;
  if (const auto* share = share_of(part, plan)) {
    for (const auto name : share_settings_of(part, *share)) {
      keys.push_back({part.share, std::string(name)});
    }
    // The path of the helper's socket.
    if (share->helper && !part.is_helper) keys.push_back({0, "GUEST_NAME"});
    return keys;
  }
  for (const auto name : topic_of(part.name).settings) {
    if (!name.empty()) keys.push_back({0, std::string(name)});
  }
  return keys;
}

Explanation explain(const Part& part, const LaunchPlan& plan, const GivenTexts& given) {
  Explanation explanation{title_of(part, plan), notes_of(part, plan, given), {}};
  for (const auto& key : settings_of(part, plan)) {
    explanation.settings.push_back(describe_setting(key, given));
  }
  if (explanation.settings.empty() && topic_of(part.name).group != "command-line") {
    explanation.notes.emplace_back("always there: no setting changes it");
  }
  return explanation;
}

std::string as_comments(const Explanation& explanation) {
  std::string text = fmt::format("# {}\n", explanation.title);
  for (const auto* lines : {&explanation.notes, &explanation.settings}) {
    for (const auto& line : *lines) text += fmt::format("#   {}\n", line);
  }
  return text;
}

std::string state_of(const SettingKey& key, const GivenTexts& given) {
  const auto found = given.find(key);
  if (found != given.end()) {
    return fmt::format("{} ({})", shown(key, found->second.value),
                       on_one_line(place_of(found->second.origin)));
  }
  const auto row = row_of(key);
  return row.default_value.empty() ? "not set" : fmt::format("{} (default)", row.default_value);
}

}  // namespace vmr
