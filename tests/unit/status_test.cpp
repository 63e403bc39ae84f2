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

std::string ailment(const LaunchPlan& plan, Phase phase, const Strings& lines) {
  return find_ailment(plan, {phase, Accelerator::tcg, {}, {}}, reports_of(plan, lines));
}

TEST_CASE("healthy is a guest that is up with every share") {
  const auto plan = two_shares();
  const Strings all = {"1 ok /mnt/share", "2 ok /mnt/new", "done"};
  CHECK(ailment(plan, Phase::starting, {}) == "the VM is starting");
  CHECK(ailment(plan, Phase::booting, {"1 ok /mnt/share"}) == "the VM is booting");
  CHECK(ailment(plan, Phase::running, all).empty());
  CHECK(ailment(plan, Phase::stopping, all) == "the VM is stopping");
  CHECK(ailment(plan, Phase::running, {"1 ok /mnt/share", "done"}) ==
        "Filesystem #2 is not mounted in the guest");
  CHECK(ailment(plan, Phase::running, {"1 ok /mnt/share", "2 error mount: no", "done"}) ==
        "Filesystem #2 is not mounted in the guest: mount: no");
  // A guest that has rebooted reports again.
  CHECK(ailment(plan, Phase::running,
                {"1 error x", "2 ok /mnt/new", "done", "1 ok /mnt/share", "done"})
            .empty());
}

TEST_CASE("a guest without a seed cannot tell so the machine is enough") {
  const auto plan = two_shares({"CLOUD_INIT=0"});
  CHECK(ailment(plan, Phase::starting, {}) == "the VM is starting");
  CHECK(ailment(plan, Phase::booting, {}).empty());
}

TEST_CASE("the status is one object") {
  const auto plan = two_shares();
  const VmState state{Phase::running,
                      Accelerator::kvm,
                      std::chrono::milliseconds(61999),
                      {{"qemu", 7}, {"virtiofsd-1", 8}}};
  const auto status = status_json(
      plan, state, reports_of(plan, {"1 ok /mnt/share", "2 error mount: \xff", "done"}));
  const auto expected = boost::json::parse(R"({
    "name": "vm", "state": "running", "uptime": 61, "healthy": false,
    "problem": "Filesystem #2 is not mounted in the guest: mount: \ufffd",
    "accelerator": "kvm", "ssh": {"address": "0.0.0.0", "port": 2222}, "qemu": {"pid": 7},
    "helpers": [{"name": "virtiofsd-1", "pid": 8}],
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
