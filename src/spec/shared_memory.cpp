// SPDX-License-Identifier: MIT
#include "spec/shared_memory.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>

namespace vmr {
namespace {

using Option = std::map<std::string, std::string>;

/// Takes the text up to the next single comma; a doubled one stands for itself.
std::string take_item(std::string_view& rest) {
  std::string item;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == ',') {
      if (!rest.starts_with(',')) break;
      rest.remove_prefix(1);
    }
    item += c;
  }
  return item;
}

/// QEMU's other notation, an object of JSON, which is YAML too; empty when it is neither.
Option read_json_option(const std::string& text) {
  Option option;
  try {
    for (const auto& member : YAML::Load(text)) {
      if (!member.second.IsScalar()) continue;
      const auto key = member.first.as<std::string>();
      option[key == "qom-type" ? "" : key] = member.second.as<std::string>();
    }
  } catch (const YAML::Exception&) {
    // Not ours to judge: QEMU says what is wrong.
    return {};
  }
  return option;
}

/// "first,key=value,…" by key; the first word, if it has no key, or what -object calls qom-type,
/// under "".
Option read_option(std::string_view text) {
  if (text.starts_with('{')) return read_json_option(std::string(text));
  Option option;
  for (bool first = true; !text.empty(); first = false) {
    const auto item = take_item(text);
    const auto equals = item.find('=');
    if (equals != item.npos) {
      const auto key = item.substr(0, equals);
      option[key == "qom-type" ? "" : key] = item.substr(equals + 1);
    } else if (first) {
      option[""] = item;
    }
  }
  return option;
}

/// `word` is the option `name`, with one dash or two.
bool is_option(std::string_view word, std::string_view name) {
  return word.starts_with('-') && word.substr(word.starts_with("--") ? 2 : 1) == name;
}

/// The name of the last memory backend that these arguments choose; empty: none.
std::string chosen_backend(const std::vector<std::string>& arguments) {
  std::string name;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_option(arguments[i - 1], "machine") && !is_option(arguments[i - 1], "M")) continue;
    const auto option = read_option(arguments[i]);
    if (const auto found = option.find("memory-backend"); found != option.end()) {
      name = found->second;
    }
  }
  return name;
}

bool is_shared(Option backend) {
  const std::string& share = backend["share"];
  // QEMU shares these two unless told otherwise.
  if (share.empty())
    return backend[""] == "memory-backend-memfd" || backend[""] == "memory-backend-shm";
  return share == "on" || share == "yes" || share == "true" || share == "y";
}

/// The argument that makes a memory backend of this name, if that one is not shared.
std::optional<std::size_t> find_private_backend(const std::vector<std::string>& arguments,
                                                const std::string& name) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_option(arguments[i - 1], "object")) continue;
    auto option = read_option(arguments[i]);
    if (option[""].starts_with("memory-backend-") && option["id"] == name) {
      return is_shared(option) ? std::nullopt : std::optional(i);
    }
  }
  return std::nullopt;
}

}  // namespace

void check_shared_memory(const Config& config, const std::vector<Share>& shares,
                         Findings& findings) {
  const bool any_virtiofs = std::any_of(shares.begin(), shares.end(), [](const Share& share) {
    return share.driver == Driver::virtiofs;
  });
  if (!any_virtiofs) return;
  auto arguments = config.extra_args.value;
  arguments.insert(arguments.end(), config.qemu_args.begin(), config.qemu_args.end());
  const auto name = chosen_backend(arguments);
  const auto backend = name.empty() ? std::nullopt : find_private_backend(arguments, name);
  if (!backend) return;
  const bool behind_dashes = *backend >= config.extra_args.value.size();
  findings.problems.push_back(
      {fmt::format(
           "{}: 'virtiofs' requires shared memory, and the memory backend '{}' is not shared",
           behind_dashes ? "QEMU arguments" : config.extra_args.origin.variable, name),
       behind_dashes ? "behind -- (command line)" : describe(config.extra_args.origin),
       "share it (share=on) in its -object, or leave memory-backend out"});
}

}  // namespace vmr
