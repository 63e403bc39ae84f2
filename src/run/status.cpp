// SPDX-License-Identifier: MIT
#include "run/status.hpp"

#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <unistd.h>

namespace vmr {
namespace {

namespace json = boost::json;

std::string word_for(Phase phase) {
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

json::object share_json(const SharePlan& share, const GuestReports& reports) {
  const auto proof = reports.proof(share.share.number);
  auto object = to_json(share);
  object["proof"] = word_for(proof.state);
  if (!proof.text.empty()) object["reason"] = to_utf8(proof.text);
  return object;
}

}  // namespace

std::string find_ailment(const LaunchPlan& plan, const VmState& state,
                         const GuestReports& reports) {
  const bool is_up = state.phase == Phase::running || (state.phase == Phase::booting && !plan.seed);
  if (!is_up) return fmt::format("the VM is {}", word_for(state.phase));
  if (!plan.seed) return {};
  for (const auto& share : plan.shares) {
    const auto proof = reports.proof(share.share.number);
    if (proof.state == ShareProof::State::mounted) continue;
    return fmt::format("Filesystem #{} is not mounted in the guest{}{}", share.share.number,
                       proof.text.empty() ? "" : ": ", proof.text);
  }
  return {};
}

json::object status_json(const LaunchPlan& plan, const VmState& state,
                         const GuestReports& reports) {
  const auto ailment = find_ailment(plan, state, reports);
  json::object object = {
      {"name", plan.vm_name},
      {"pid", ::getpid()},
      {"state", word_for(state.phase)},
      {"uptime", std::chrono::duration_cast<std::chrono::seconds>(state.uptime).count()},
      {"healthy", ailment.empty()},
      {"accelerator", std::string(word_for(state.accelerator))},
  };
  if (!ailment.empty()) object["problem"] = to_utf8(ailment);
  if (plan.ssh.port != 0) object["ssh"] = {{"address", plan.ssh.address}, {"port", plan.ssh.port}};
  json::array helpers;
  for (const auto& [name, pid] : state.pids) {
    if (name == "qemu") {
      object["qemu"] = {{"pid", pid}};
    } else {
      helpers.push_back({{"name", name}, {"pid", pid}});
    }
  }
  json::array shares;
  for (const auto& share : plan.shares) shares.push_back(share_json(share, reports));
  object["helpers"] = std::move(helpers);
  object["shares"] = std::move(shares);
  return object;
}

}  // namespace vmr
