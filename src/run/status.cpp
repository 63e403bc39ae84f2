// SPDX-License-Identifier: MIT
#include "run/status.hpp"

#include "plan/landlock_words.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <unistd.h>

namespace vmr {
namespace {

namespace json = boost::json;

std::string word_for(ShareProof::State state) {
  switch (state) {
    case ShareProof::State::waiting:
      return "waiting";
    case ShareProof::State::mounted:
      return "mounted";
    case ShareProof::State::failed:
      return "failed";
  }
  return {};
}

std::string_view word_for(GuestSign sign) {
  switch (sign) {
    case GuestSign::none:
      return "none";
    case GuestSign::reported:
      return "reported";
    case GuestSign::agent:
      return "agent";
    case GuestSign::console:
      return "console";
    case GuestSign::silent:
      return "silent";
    case GuestSign::late:
      return "late";
    case GuestSign::restarting:
      return "restarting";
  }
  return {};
}

/// What `sign` tells of the health of a machine that runs.
Health check_guest(GuestSign sign) {
  switch (sign) {
    case GuestSign::none:
      return {"the VM is booting", false};
    case GuestSign::silent:
      return {"nothing was seen of the guest: it has no agent, and wrote nothing on its console",
              true};
    case GuestSign::late:
      return {"the guest did not report in time: it is slow, or it does not run cloud-init", true};
    case GuestSign::restarting:
      return {"the guest restarts over and over: its console tells why", true};
    case GuestSign::reported:
    case GuestSign::agent:
    case GuestSign::console:
      return {"", true};
  }
  return {};
}

std::vector<std::string> landlock_of_qemu(const LaunchPlan& plan, const VmState& state) {
  for (const auto& attempt : plan.attempts) {
    if (attempt.accelerator == state.accelerator) {
      return landlock_holds(attempt.process.confinement, plan.landlock);
    }
  }
  return {};
}

json::object share_json(const SharePlan& share, const GuestReports& reports) {
  const auto proof = reports.proof(share.share.number);
  auto object = to_json(share);
  object["proof"] = word_for(proof.state);
  if (!proof.text.empty()) object["reason"] = to_utf8(proof.text);
  return object;
}

/// What the shares lack; empty: nothing. `settled` when it will not get better.
Health check_shares(const VmState& state, const GuestReports& reports) {
  for (const auto& share : state.shares) {
    const auto number = share.share.number;
    if (share.helper && !state.pids.contains(share.helper->name)) {
      return {fmt::format("Filesystem #{}: {} has died", number, share.helper->name), true};
    }
    const auto proof = reports.proof(number);
    if (proof.state == ShareProof::State::mounted) continue;
    return {fmt::format("Filesystem #{} is not mounted in the guest{}{}", number,
                        proof.text.empty() ? "" : ": ", proof.text),
            proof.state == ShareProof::State::failed};
  }
  return {"", true};
}

json::array helpers_json(const VmState& state, int landlock) {
  json::array helpers;
  for (const auto& share : state.shares) {
    if (!share.helper) continue;
    json::object helper = {
        {"name", share.helper->name},
        {"share", share.share.number},
        {"sandbox", std::string(word_for(share.share.sandbox))},
        {"landlock", to_json(landlock_holds(share.helper->confinement, landlock))}};
    const auto pid = state.pids.find(share.helper->name);
    helper["pid"] = pid == state.pids.end() ? json::value(nullptr) : json::value(pid->second);
    helpers.push_back(std::move(helper));
  }
  return helpers;
}

}  // namespace

std::string_view word_for(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return "starting";
    case Phase::booting:
      return "booting";
    case Phase::running:
      return "running";
    case Phase::stopping:
      return "stopping";
    case Phase::stopped:
      return "stopped";
  }
  return {};
}

GuestSign sign_of_guest(const LaunchPlan& plan, const VmState& state) {
  if (state.phase == Phase::running) return GuestSign::reported;
  if (state.phase != Phase::booting) return GuestSign::none;
  if (!plan.seed && state.agent) return GuestSign::agent;
  if (state.restart_loop) return GuestSign::restarting;
  if (!state.gave_up) return GuestSign::none;
  if (plan.seed) return GuestSign::late;
  return state.wrote ? GuestSign::console : GuestSign::silent;
}

Health check_health(const LaunchPlan& plan, const VmState& state, const GuestReports& reports) {
  const bool is_ending = state.phase == Phase::stopping || state.phase == Phase::stopped;
  if (is_ending || state.phase == Phase::starting) {
    return {fmt::format("the VM is {}", word_for(state.phase)), is_ending};
  }
  if (state.run_state == no_answer) return {"QEMU does not answer", true};
  auto health = check_guest(sign_of_guest(plan, state));
  if (health.settled && !state.run_state.empty() && state.run_state != "running") {
    return {fmt::format("the machine does not run: its state is '{}'", state.run_state), false};
  }
  if (!health.ailment.empty() || !plan.seed) return health;
  return check_shares(state, reports);
}

json::array shares_json(const VmState& state, const GuestReports& reports) {
  json::array shares;
  for (const auto& share : state.shares) shares.push_back(share_json(share, reports));
  return shares;
}

json::object status_json(const LaunchPlan& plan, const VmState& state,
                         const GuestReports& reports) {
  const auto ailment = check_health(plan, state, reports).ailment;
  json::object object = {
      {"name", plan.vm_name},
      {"pid", ::getpid()},
      {"state", std::string(word_for(state.phase))},
      {"guest", std::string(word_for(sign_of_guest(plan, state)))},
      {"uptime", std::chrono::duration_cast<std::chrono::seconds>(state.uptime).count()},
      {"healthy", ailment.empty()},
      {"accelerator", std::string(word_for(state.accelerator))},
      {"agent", state.agent},
  };
  if (!ailment.empty()) object["problem"] = to_utf8(ailment);
  json::array ports;
  if (plan.ssh.port != 0) {
    object["ssh"] = {{"address", plan.ssh.address}, {"port", plan.ssh.port}};
    ports.push_back(
        {{"host", fmt::format("{}:{}", plan.ssh.address, plan.ssh.port)}, {"guest", 22}});
  }
  object["ports"] = std::move(ports);
  if (const auto pid = state.pids.find("qemu"); pid != state.pids.end()) {
    json::object qemu = {{"pid", pid->second},
                         {"landlock", to_json(landlock_of_qemu(plan, state))}};
    if (!state.run_state.empty()) qemu["state"] = to_utf8(state.run_state);
    object["qemu"] = std::move(qemu);
  }
  object["helpers"] = helpers_json(state, plan.landlock);
  object["shares"] = shares_json(state, reports);
  return object;
}

}  // namespace vmr
