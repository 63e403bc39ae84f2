// SPDX-License-Identifier: MIT
#include "run/status.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

namespace vmr::test {
namespace {

LaunchPlan two_shares(const Strings& more = {}) {
  Strings settings = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/new",
                      "FILESYSTEM2_DRIVER=9p", "FILESYSTEM2_READONLY=0"};
  settings.insert(settings.end(), more.begin(), more.end());
  return make_plan(spec_of(settings, docker_host()), docker_host());
}

GuestReports reports_of(const LaunchPlan& plan, const Strings& lines) {
  std::vector<Share> shares;
  for (const auto& share : plan.shares) shares.push_back(share.share);
  GuestReports reports(std::move(shares));
  for (const auto& line : lines) reports.take(line);
  return reports;
}

VmState state_of(const LaunchPlan& plan, Phase phase) {
  return {phase, Accelerator::tcg, {}, {{"qemu", 7}, {"virtiofsd-1", 8}}, plan.shares};
}

std::string ailment(const LaunchPlan& plan, Phase phase, const Strings& lines) {
  return check_health(plan, state_of(plan, phase), reports_of(plan, lines)).ailment;
}

bool settled(const LaunchPlan& plan, const VmState& state, const Strings& lines) {
  return check_health(plan, state, reports_of(plan, lines)).settled;
}

TEST_CASE("healthy is a guest that is up with every share") {
  const auto plan = two_shares();
  const Strings all = {"1 ok /mnt/share", "2 ok /mnt/new", "done"};
  CHECK(ailment(plan, Phase::starting, {}) == "the VM is starting");
  CHECK(ailment(plan, Phase::booting, {"1 ok /mnt/share"}) == "the VM is booting");
  CHECK(ailment(plan, Phase::running, all).empty());
  CHECK(ailment(plan, Phase::stopping, all) == "the VM is stopping");
  CHECK(ailment(plan, Phase::running, {"1 ok /mnt/share", "done"}) ==
        "Filesystem #2 is not mounted in the guest: the guest has another configuration, without "
        "this share");
  CHECK(ailment(plan, Phase::running, {"1 ok /mnt/share", "2 error mount: no", "done"}) ==
        "Filesystem #2 is not mounted in the guest: mount: no");
  // A guest that has rebooted reports again.
  CHECK(ailment(plan, Phase::running,
                {"1 error x", "2 ok /mnt/new", "done", "1 ok /mnt/share", "done"})
            .empty());
}

/// The sign of the guest, and the health that it makes.
std::string sign_and_health(const LaunchPlan& plan, const VmState& state) {
  const auto health = check_health(plan, state, reports_of(plan, {}));
  const auto status = status_json(plan, state, reports_of(plan, {}));
  return std::string(status.at("guest").as_string()) +
         (health.settled ? ", settled: " : ", open: ") + health.ailment;
}

TEST_CASE("a guest without a seed cannot tell so its agent or its console does") {
  const auto plan = two_shares({"CLOUD_INIT=0"});
  auto state = state_of(plan, Phase::starting);
  CHECK(sign_and_health(plan, state) == "none, open: the VM is starting");
  state.phase = Phase::booting;
  state.wrote = true;
  CHECK(sign_and_health(plan, state) == "none, open: the VM is booting");
  state.gave_up = true;
  CHECK(sign_and_health(plan, state) == "console, settled: ");
  state.wrote = false;
  CHECK(sign_and_health(plan, state) ==
        "silent, settled: nothing was seen of the guest: it has no agent, and wrote nothing on its "
        "console");
  state.restart_loop = true;
  CHECK(sign_and_health(plan, state) ==
        "restarting, settled: the guest restarts over and over: its console tells why");
  state.agent = true;
  CHECK(sign_and_health(plan, state) == "agent, settled: ");
  state.run_state = "io-error";
  CHECK(sign_and_health(plan, state) ==
        "agent, open: the machine does not run: its state is 'io-error'");
  state.phase = Phase::stopping;
  CHECK(sign_and_health(plan, state) == "none, settled: the VM is stopping");
}

TEST_CASE("waiting for a report ends with the guest's time") {
  const auto plan = two_shares();
  auto state = state_of(plan, Phase::booting);
  state.agent = state.wrote = true;
  CHECK(sign_and_health(plan, state) == "none, open: the VM is booting");
  state.restart_loop = true;
  CHECK(sign_and_health(plan, state) ==
        "restarting, settled: the guest restarts over and over: its console tells why");
  state.restart_loop = false;
  state.gave_up = true;
  CHECK(sign_and_health(plan, state) ==
        "late, settled: the guest did not report in time: it is slow, or it does not run "
        "cloud-init");
}

TEST_CASE("a machine that does not run or has lost a helper is not healthy") {
  const auto plan = two_shares();
  const Strings all = {"1 ok /mnt/share", "2 ok /mnt/new", "done"};
  auto state = state_of(plan, Phase::running);
  const auto health = [&] { return check_health(plan, state, reports_of(plan, all)); };
  state.run_state = "running";
  CHECK(health() == Health{"", true});
  state.run_state = "io-error";
  CHECK(health() == Health{"the machine does not run: its state is 'io-error'", false});
  state.run_state = no_answer;
  CHECK(health() == Health{"QEMU does not answer", true});
  state.run_state = "running";
  state.pids.erase("virtiofsd-1");
  CHECK(health() == Health{"Filesystem #1: virtiofsd-1 has died", true});
}

TEST_CASE("waiting ends when nothing is left to wait for") {
  const auto plan = two_shares();
  const auto running = state_of(plan, Phase::running);
  CHECK_FALSE(settled(plan, state_of(plan, Phase::starting), {}));
  CHECK_FALSE(settled(plan, state_of(plan, Phase::booting), {"1 ok /mnt/share"}));
  CHECK(settled(plan, running, {"1 ok /mnt/share", "done"}));
  CHECK(settled(plan, running, {"1 ok /mnt/share", "2 error mount: no", "done"}));
  CHECK(settled(plan, running, {"1 ok /mnt/share", "2 ok /mnt/new", "done"}));
  CHECK(settled(plan, state_of(plan, Phase::stopping), {}));
  CHECK(settled(plan, state_of(plan, Phase::stopped), {}));
}

TEST_CASE("the status is one object") {
  const auto plan = two_shares();
  const VmState state{Phase::running,
                      Accelerator::kvm,
                      std::chrono::milliseconds(61999),
                      {{"qemu", 7}, {"virtiofsd-1", 8}},
                      plan.shares,
                      "running",
                      true};
  const auto status = status_json(
      plan, state, reports_of(plan, {"1 ok /mnt/share", "2 error mount: \xff", "done"}));
  const auto expected = boost::json::parse(R"({
    "name": "vm", "state": "running", "guest": "reported", "uptime": 61, "healthy": false,
    "problem": "Filesystem #2 is not mounted in the guest: mount: \ufffd",
    "accelerator": "kvm", "agent": true, "ssh": {"address": "0.0.0.0", "port": 2222},
    "ports": [{"host": "0.0.0.0:2222", "guest": 22}], "qemu": {"pid": 7, "state": "running",
    "landlock": ["files", "truncate"]},
    "helpers": [{"name": "virtiofsd-1", "pid": 8, "share": 1, "sandbox": "chroot",
    "landlock": ["files", "truncate"]}],
    "shares": [
      {"index": 1, "tag": "share", "source": "/share", "driver": "virtiofs",
       "accessmode": "passthrough", "readonly": false, "mount": "/mnt/share", "sandbox": "chroot",
       "proof": "mounted"},
      {"index": 2, "tag": "new", "source": "/new", "driver": "9p", "accessmode": "passthrough",
       "readonly": false, "mount": "/mnt/new", "proof": "failed", "reason": "mount: \ufffd"}]})");
  auto without_pid = status;
  CHECK(without_pid.at("pid").to_number<int>() == ::getpid());
  without_pid.erase("pid");
  CHECK(boost::json::value(without_pid) == expected);
}

}  // namespace
}  // namespace vmr::test
