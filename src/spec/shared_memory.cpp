// SPDX-License-Identifier: MIT
#include "spec/shared_memory.hpp"

#include "base/qemu_words.hpp"
#include "base/units.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace vmr {
namespace {

/// Ours, which the user's arguments may name too.
constexpr std::string_view our_backend = "memory";

/// Which memory backends the arguments choose, and where.
struct Choice {
  std::vector<std::string> names;  ///< "": none, so that the memory is QEMU's own
  std::size_t position = 0;        ///< of the last word that chooses
};

std::optional<Choice> find_choice(const std::vector<std::string>& arguments) {
  std::optional<Choice> machine;
  std::optional<Choice> nodes;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto& option = arguments[i - 1];
    const auto keys = read_keys(arguments[i]);
    if ((is_option(option, "machine") || is_option(option, "M")) &&
        keys.contains("memory-backend")) {
      machine = {{last_value(keys, "memory-backend")}, i};
    } else if (is_option(option, "numa") && keys.contains("memdev")) {
      if (!nodes) nodes.emplace();
      nodes->names.push_back(last_value(keys, "memdev"));
      nodes->position = i;
    }
  }
  const bool is_ours = machine && machine->names.front() == our_backend;
  return nodes ? nodes : is_ours ? std::nullopt : machine;
}

bool is_shared(const QemuKeys& backend) {
  const auto share = last_value(backend, "share");
  const auto type = last_value(backend, "");
  // QEMU shares these two unless told otherwise.
  if (share.empty()) return type == "memory-backend-memfd" || type == "memory-backend-shm";
  return is_on(share);
}

/// A memory backend among the arguments.
struct Backend {
  QemuKeys keys;
  std::size_t position = 0;
};

std::optional<Backend> find_backend(const std::vector<std::string>& arguments,
                                    const std::string& name) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!is_option(arguments[i - 1], "object")) continue;
    auto keys = read_keys(arguments[i]);
    if (last_value(keys, "").starts_with("memory-backend-") && last_value(keys, "id") == name) {
      return Backend{std::move(keys), i};
    }
  }
  return std::nullopt;
}

/// QEMU's sizes are bytes where they have no unit. None for what is no whole number of MiB.
std::optional<std::uint64_t> mebibytes_of(const std::string& size) {
  const auto bytes = parse_number(size, 1, UINT64_MAX);
  if (const auto* count = std::get_if<std::uint64_t>(&bytes)) {
    return *count % (1U << 20) == 0 ? std::optional(*count >> 20) : std::nullopt;
  }
  const auto parsed = parse_mebibytes(size);
  const auto* count = std::get_if<std::uint64_t>(&parsed);
  return count == nullptr ? std::nullopt : std::optional(*count);
}

/// How large all of `backends` are together; none when one of them does not say.
std::optional<std::uint64_t> size_of(const std::vector<Backend>& backends) {
  std::uint64_t sum = 0;
  for (const auto& backend : backends) {
    const auto size = mebibytes_of(last_value(backend.keys, "size"));
    if (!size) return std::nullopt;
    sum += *size;
  }
  return sum;
}

/// Whose words they are: those of EXTRA_ARGS come first.
struct Blame {
  std::string subject;
  std::string origin;
};

Blame blame_for(const Config& config, std::size_t position) {
  if (position >= config.extra_args.value.size()) {
    return {"QEMU arguments", "behind -- (command line)"};
  }
  return {config.extra_args.origin.variable, describe(config.extra_args.origin)};
}

void check_size(const Config& config, const std::vector<Backend>& backends,
                const std::vector<std::string>& arguments, Findings& findings) {
  const auto size = size_of(backends);
  const bool has_size = std::any_of(arguments.begin(), arguments.end(),
                                    [](const auto& word) { return is_option(word, "m"); });
  if (!size || has_size || *size == config.memory.value) return;
  const auto blame = blame_for(config, backends.back().position);
  findings.problems.push_back(
      {fmt::format("{}: the guest's memory there has {} MiB, and MEMORY is {} MiB", blame.subject,
                   *size, config.memory.value),
       blame.origin, fmt::format("set MEMORY={}M, or make both the same", *size)});
}

void refuse_private(const Config& config, const Choice& choice,
                    const std::optional<Backend>& backend, Findings& findings) {
  const auto blame = blame_for(config, backend ? backend->position : choice.position);
  findings.problems.push_back(
      {backend ? fmt::format("{}: 'virtiofs' requires shared memory, and the memory backend '{}' "
                             "is not shared",
                             blame.subject, last_value(backend->keys, "id"))
               : fmt::format("{}: 'virtiofs' requires shared memory, and 'memory-backend=' without "
                             "a name takes it away",
                             blame.subject),
       blame.origin, "share it (share=on) in its -object, or leave memory-backend out"});
}

}  // namespace

OwnMemory resolve_own_memory(const Config& config, const std::vector<Share>& shares,
                             Findings& findings) {
  auto arguments = config.extra_args.value;
  arguments.insert(arguments.end(), config.qemu_args.begin(), config.qemu_args.end());
  const auto choice = find_choice(arguments);
  if (!choice) return OwnMemory::none;
  std::vector<Backend> backends;
  std::optional<Backend> not_shared;
  for (const auto& name : choice->names) {
    // What is none of these QEMU judges itself.
    auto backend = find_backend(arguments, name);
    if (!backend) continue;
    if (!is_shared(backend->keys)) not_shared = backend;
    backends.push_back(std::move(*backend));
  }
  if (backends.size() == choice->names.size()) check_size(config, backends, arguments, findings);
  const bool has_none = choice->names.front().empty();
  if (!has_none && !not_shared) return OwnMemory::shared;
  const bool any_virtiofs = std::any_of(shares.begin(), shares.end(), [](const Share& share) {
    return share.driver == Driver::virtiofs;
  });
  if (any_virtiofs) refuse_private(config, *choice, not_shared, findings);
  return OwnMemory::not_shared;
}

}  // namespace vmr
