// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "commands/commands.hpp"
#include "commands/launch_script.hpp"
#include "commands/resolved_vm.hpp"
#include "host/probe.hpp"
#include "plan/launch_plan.hpp"
#include "plan/plan_text.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vmr {
namespace {

namespace json = boost::json;

/// The attempt that `run` would end up with.
const QemuPlan& chosen_attempt(const LaunchPlan& plan, const VmSpec& spec, const Host& host) {
  if (plan.attempts.size() == 1) return plan.attempts.front();
  const auto cpu = spec.cpu_model.empty() ? std::string("host") : spec.cpu_model;
  const auto reason = try_kvm(host.qemu, spec.machine, cpu);
  if (reason.empty()) return plan.attempts.front();
  log_warn("KVM does not work here: {}", reason);
  return plan.attempts.back();
}

std::string as_json(const LaunchPlan& plan, const QemuPlan& qemu) {
  json::array helpers;
  json::array shares;
  for (const auto& share : plan.shares) {
    shares.push_back(to_json(share));
    if (share.helper) {
      helpers.push_back(
          json::object{{"name", share.helper->name}, {"argv", to_json(share.helper->argv)}});
    }
  }
  const json::object object = {{"qemu", to_json(qemu.process.argv)},
                               {"helpers", std::move(helpers)},
                               {"shares", std::move(shares)}};
  return json::serialize(object) + "\n";
}

}  // namespace

ExitStatus command_args(const Arguments& arguments, const std::vector<std::string>& environment) {
  const auto vm = resolve_vm(arguments, environment);
  const auto plan = make_plan(vm.spec, vm.host);
  const auto& qemu = chosen_attempt(plan, vm.spec, vm.host);
  std::string text;
  switch (arguments.format) {
    case Format::json:
      text = as_json(plan, qemu);
      break;
    case Format::lines:
      text = as_lines(plan, qemu);
      break;
    case Format::table:  // of other commands
    case Format::toml:
    case Format::shell:
      text = launch_script(plan, qemu, arguments, environment);
      break;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error("standard output cannot be written", std::strerror(errno), "");
  }
  return ExitStatus::ok;
}

}  // namespace vmr
