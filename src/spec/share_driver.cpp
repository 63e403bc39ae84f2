// SPDX-License-Identifier: MIT
#include "spec/share_driver.hpp"

#include "config/variables.hpp"
#include "spec/virtiofs.hpp"

#include <fmt/ranges.h>

#include <optional>
#include <vector>

namespace vmr {
namespace {

constexpr std::string_view passthrough_only = "virtiofs only supports passthrough accessmode";

/// A setting that was given and that only one driver has.
struct OwnOption {
  Origin origin;
  std::string value;
  std::string_view refusal;  ///< what libvirt says when the other driver gets it
};

/// Adds `given` to `options` when somebody set it.
template <typename T>
void add(std::vector<OwnOption>& options, const Given<T>& given, std::string_view refusal) {
  if (!given.is_default()) options.push_back({given.origin, value_text(given.value), refusal});
}

std::vector<OwnOption> options_of_9p(const ShareConfig& config) {
  std::vector<OwnOption> options;
  add(options, config.wrpolicy, "virtiofs does not support wrpolicy");
  add(options, config.multidevs, "virtiofs does not support multidevs");
  add(options, config.fmode, "virtiofs does not support fmode and dmode");
  add(options, config.dmode, "virtiofs does not support fmode and dmode");
  return options;
}

std::vector<OwnOption> options_of_virtiofs(const ShareConfig& config) {
  std::vector<OwnOption> options;
  add(options, config.sandbox, "sandbox can only be used with driver=virtiofs");
  add(options, config.queue_size, "queue size can only be used with driver=virtiofs");
  add(options, config.thread_pool_size, "thread pool can only be used with driver=virtiofs");
  add(options, config.xattr, "xattr can only be used with driver=virtiofs");
  add(options, config.posix_acl, "posix ACL can only be used with driver=virtiofs");
  add(options, config.owner, "owner can only be used with driver=virtiofs");
  return options;
}

/// The setting that leaves 9p as the only driver.
std::optional<OwnOption> need_of_9p(const ShareConfig& config) {
  if (config.accessmode.value != AccessMode::passthrough) {
    return OwnOption{config.accessmode.origin, value_text(config.accessmode.value),
                     passthrough_only};
  }
  const auto options = options_of_9p(config);
  return options.empty() ? std::nullopt : std::optional(options.front());
}

/// Whether the driver cannot be told because a setting that decides it is no value.
bool is_undecided(const ShareConfig& config) {
  const bool asked_for = config.driver.value != Driver::automatic;
  return config.driver.invalid ||
         (!asked_for &&
          (config.accessmode.invalid || config.readonly.invalid || config.owner.invalid ||
           config.fmode.invalid || config.dmode.invalid || config.multidevs.invalid ||
           config.wrpolicy.invalid || config.sandbox.invalid || config.queue_size.invalid ||
           config.thread_pool_size.invalid || config.xattr.invalid || config.posix_acl.invalid));
}

void refuse_all(const std::vector<OwnOption>& options, const std::string& hint,
                Findings& findings) {
  for (const auto& option : options) {
    findings.problems.push_back(
        {fmt::format("{}='{}': {}", option.origin.variable, option.value, option.refusal),
         describe(option.origin), hint});
  }
}

/// What to do about an option that only virtiofs has, on a share that is 9p.
std::string hint_for_virtiofs_option(const ShareConfig& config) {
  const std::string& variable = config.driver.origin.variable;
  if (config.driver.value != Driver::automatic) {
    return fmt::format("leave it out, or use {}=virtiofs", variable);
  }
  const auto need = need_of_9p(config);
  return need ? fmt::format("leave it out, or {}, which needs 9p", need->origin.variable)
              : std::string("leave it out");
}

/// "FILESYSTEM_XATTR, FILESYSTEM_POSIX_ACL".
std::string variables_of(const std::vector<OwnOption>& options) {
  std::vector<std::string_view> variables;
  variables.reserve(options.size());
  for (const auto& option : options) variables.emplace_back(option.origin.variable);
  return fmt::format("{}", fmt::join(variables, ", "));
}

/// "use FILESYSTEM_DRIVER=9p", and what has to go then.
std::string use_of_9p(const ShareConfig& config) {
  const auto text = fmt::format("use {}=9p", config.driver.origin.variable);
  const auto options = options_of_virtiofs(config);
  return options.empty() ? text : text + " without " + variables_of(options);
}

/// What `problems` say, without the repetition of "FILESYSTEM_DRIVER='auto'".
std::string reasons_in(const std::vector<Problem>& problems, const ShareConfig& config) {
  const auto subject = fmt::format("{}='auto': ", config.driver.origin.variable);
  std::string text;
  for (const auto& problem : problems) {
    const std::string_view message = problem.message;
    if (!text.empty()) text += "; ";
    text += message.substr(message.starts_with(subject) ? subject.size() : 0);
  }
  return text;
}

}  // namespace

Driver choose_driver(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings) {
  if (is_undecided(config)) return Driver::automatic;
  if (config.driver.value != Driver::automatic) return config.driver.value;
  const auto uses = fmt::format("Filesystem #{}: driver=auto uses ", config.number);
  if (const auto need = need_of_9p(config)) {
    findings.notes.push_back(
        fmt::format("{}9p: {} ({})", uses, need->refusal, need->origin.variable));
    return Driver::ninep;
  }
  Findings virtiofs;
  check_virtiofsd(config, source, host, virtiofs);
  const auto needs = options_of_virtiofs(config);
  if (virtiofs.problems.empty()) {
    findings.notes.push_back(
        needs.empty() ? fmt::format("{}virtiofs: {} can run here", uses, host.virtiofsd->path)
                      : fmt::format("{}virtiofs: {} ({})", uses, needs.front().refusal,
                                    needs.front().origin.variable));
    return Driver::virtiofs;
  }
  // What it needs is refused by check_virtiofs, with the reasons.
  if (!needs.empty()) return Driver::virtiofs;
  findings.warnings.push_back(fmt::format("{}9p: {}", uses, reasons_in(virtiofs.problems, config)));
  return Driver::ninep;
}

void check_virtiofs(const ShareConfig& config, const std::string& source, const Host& host,
                    Findings& findings) {
  Findings virtiofs;
  check_virtiofsd(config, source, host, virtiofs);
  const auto needs = options_of_virtiofs(config);
  for (auto& problem : virtiofs.problems) {
    if (config.driver.value != Driver::automatic) {
      problem.hint += ", or " + use_of_9p(config);
    } else if (!needs.empty() && !problem.message.starts_with(needs.front().origin.variable)) {
      problem.message +=
          fmt::format("; {}: {}", needs.front().origin.variable, needs.front().refusal);
      problem.hint += fmt::format(", or leave {} out: 9p is used then", variables_of(needs));
    }
    findings.problems.push_back(std::move(problem));
  }
}

void check_driver_options(const ShareConfig& config, Driver driver, Findings& findings) {
  if (driver == Driver::automatic) return;
  if (driver == Driver::virtiofs) {
    if (config.accessmode.value != AccessMode::passthrough) {
      findings.refuse(
          config.accessmode, passthrough_only,
          fmt::format("set {}=9p for 'mapped' or 'squash', or use {}=passthrough",
                      config.driver.origin.variable, config.accessmode.origin.variable));
    }
    refuse_all(options_of_9p(config), "leave it out, or " + use_of_9p(config), findings);
    return;
  }
  refuse_all(options_of_virtiofs(config), hint_for_virtiofs_option(config), findings);
  if (config.accessmode.invalid || config.accessmode.value == AccessMode::mapped) return;
  std::vector<OwnOption> modes;
  add(modes, config.fmode, "fmode and dmode must be used with accessmode=mapped");
  add(modes, config.dmode, "fmode and dmode must be used with accessmode=mapped");
  refuse_all(modes,
             fmt::format("set {}=mapped, or leave it out", config.accessmode.origin.variable),
             findings);
}

void check_links(const Share& share, const Host& host, Findings& findings) {
  const auto& link = facts_of(share.source, host).link;
  const bool is_mapped = share.driver == Driver::ninep && share.accessmode == AccessMode::mapped;
  if (!is_mapped || link.empty()) return;
  const auto variable = [&](auto name) { return share_variable(share.number, name); };
  const auto other =
      fmt::format("{}={}", variable("ACCESSMODE"), share.readonly ? "squash" : "passthrough");
  findings.warnings.push_back(
      fmt::format("Filesystem #{}: with {}=mapped the guest cannot follow symbolic links that the "
                  "host made (Too "
                  "many levels of symbolic links), such as {}/{}; {} reads them",
                  share.number, variable("ACCESSMODE"), share.source, link, other));
}

void check_ninep_cache(const ShareConfig& config, const Share& share, Findings& findings) {
  if (share.driver != Driver::ninep || share.cache != CacheMode::none) return;
  const auto& variable = config.cache.origin.variable;
  findings.warnings.push_back(
      fmt::format("Filesystem #{}: {}=none over 9p: in a guest with Linux 6.8 or later a read "
                  "never returns when "
                  "the file has become shorter since it was opened, and the guest then does not "
                  "shut down; {}=auto "
                  "keeps clear of it",
                  share.number, variable, variable));
}

}  // namespace vmr
