// SPDX-License-Identifier: MIT
#include "spec/shared_memory.hpp"

#include "spec/qemu_words.hpp"

#include <algorithm>
#include <optional>

namespace vmr {
namespace {

/// The name of the last memory backend that these arguments choose; empty: none.
std::string chosen_backend(const std::vector<std::string>& arguments) {
  std::string name;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_option(arguments[i - 1], "machine") && !is_option(arguments[i - 1], "M")) continue;
    const auto keys = read_keys(arguments[i]);
    if (keys.contains("memory-backend")) name = last_value(keys, "memory-backend");
  }
  return name;
}

bool is_shared(const QemuKeys& backend) {
  const auto share = last_value(backend, "share");
  const auto type = last_value(backend, "");
  // QEMU shares these two unless told otherwise.
  if (share.empty()) return type == "memory-backend-memfd" || type == "memory-backend-shm";
  return share == "on" || share == "yes" || share == "true" || share == "y";
}

/// The argument that makes a memory backend of this name, if that one is not shared.
std::optional<std::size_t> find_private_backend(const std::vector<std::string>& arguments,
                                                const std::string& name) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_option(arguments[i - 1], "object")) continue;
    const auto keys = read_keys(arguments[i]);
    if (last_value(keys, "").starts_with("memory-backend-") && last_value(keys, "id") == name) {
      return is_shared(keys) ? std::nullopt : std::optional(i);
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
