// SPDX-License-Identifier: MIT
#include "spec/share_driver.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

/// What `auto` makes of a share of /share with `settings`.
struct Choice {
  Driver driver = Driver::virtiofs;
  Strings notes;
  Verdict verdict;

  bool operator==(const Choice&) const = default;
};

Choice choose(const Strings& settings, const Host& host) {
  Strings environment = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=auto"};
  environment.insert(environment.end(), settings.begin(), settings.end());
  auto resolved = resolve_settings(environment, host);
  return {resolved.spec.shares.at(0).driver,
          resolved.notes,
          {std::move(resolved.problems), std::move(resolved.warnings)}};
}

Host without_virtiofsd() {
  auto host = docker_host();
  host.virtiofsd.reset();
  host.virtiofsd_problem = "Unable to find a satisfying virtiofsd";
  return host;
}

const std::string uses = "Filesystem #1: driver=auto uses ";

TEST_CASE("auto takes virtiofs where it can run") {
  const std::string sandbox = "virtiofsd runs in its sandbox 'namespace', the strongest";
  CHECK(choose({}, ordinary_user()) ==
        Choice{Driver::virtiofs,
               {uses + "virtiofs: /usr/libexec/virtiofsd can run here", sandbox},
               {}});
  CHECK(choose({"FILESYSTEM_XATTR=1"}, ordinary_user()) ==
        Choice{Driver::virtiofs,
               {uses + "virtiofs: xattr can only be used with driver=virtiofs (FILESYSTEM_XATTR)",
                sandbox},
               {}});
}

TEST_CASE("auto takes 9p where virtiofs cannot run and warns") {
  CHECK(choose({}, without_virtiofsd()) ==
        Choice{Driver::ninep, {}, {{}, {uses + "9p: Unable to find a satisfying virtiofsd"}}});
  auto host = debian_12_host();
  host.abilities.unshare_fs = false;
  const auto choice = choose({"FILESYSTEM_READONLY=1"}, host);
  CHECK(choice ==
        Choice{Driver::ninep,
               {},
               {{},
                {uses + "9p: FILESYSTEM_READONLY='1': virtiofs does not yet support read-only mode "
                        "with this virtiofsd (/usr/lib/qemu/virtiofsd has no --readonly); this "
                        "virtiofsd always calls unshare(2), and unshare(CLONE_FS) failed with "
                        "EPERM, as a container's seccomp profile makes it"}}});
}

TEST_CASE("auto takes 9p for what only 9p has") {
  struct Row {
    Strings settings;
    std::string reason;
  };
  const std::string passthrough = "virtiofs only supports passthrough accessmode";
  const std::vector<Row> rows = {
      {{"FILESYSTEM_ACCESSMODE=mapped"}, passthrough + " (FILESYSTEM_ACCESSMODE)"},
      {{"FILESYSTEM_ACCESSMODE=squash"}, passthrough + " (FILESYSTEM_ACCESSMODE)"},
      {{"FILESYSTEM_MULTIDEVS=warn"}, "virtiofs does not support multidevs (FILESYSTEM_MULTIDEVS)"},
      {{"FILESYSTEM_WRPOLICY=immediate"},
       "virtiofs does not support wrpolicy (FILESYSTEM_WRPOLICY)"},
      {{"FILESYSTEM_ACCESSMODE=mapped", "FILESYSTEM_FMODE=0600", "FILESYSTEM_DMODE=0700"},
       passthrough + " (FILESYSTEM_ACCESSMODE)"}};
  for (const auto& row : rows) {
    CHECK(choose(row.settings, docker_host()) ==
          Choice{Driver::ninep, {uses + "9p: " + row.reason}, {}});
  }
  const auto modes = choose({"FILESYSTEM_DMODE=0700"}, docker_host());
  CHECK(modes.driver == Driver::ninep);
  CHECK(modes.verdict ==
        Verdict{{{"FILESYSTEM_DMODE='0700': fmode and dmode must be used with accessmode=mapped",
                  "FILESYSTEM_DMODE (environment)",
                  "set FILESYSTEM_ACCESSMODE=mapped, or leave it out"}},
                {}});
}

TEST_CASE("auto refuses what needs virtiofs where virtiofs cannot run") {
  const auto choice =
      choose({"FILESYSTEM_QUEUE_SIZE=64", "FILESYSTEM_XATTR=1"}, without_virtiofsd());
  CHECK(choice.driver == Driver::virtiofs);
  CHECK(choice.notes.empty());
  CHECK(choice.verdict ==
        Verdict{{{"FILESYSTEM_DRIVER='auto': Unable to find a satisfying virtiofsd; "
                  "FILESYSTEM_QUEUE_SIZE: queue size can only be used with driver=virtiofs",
                  "FILESYSTEM_DRIVER (environment)",
                  "install virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common), or "
                  "leave FILESYSTEM_QUEUE_SIZE, FILESYSTEM_XATTR out: 9p is used then",
                  ExitStatus::host_unsupported}},
                {}});
  CHECK(choose({"FILESYSTEM_THREAD_POOL_SIZE=4"}, docker_host()).verdict ==
        Verdict{{{"FILESYSTEM_THREAD_POOL_SIZE='4': a virtiofsd thread pool calls "
                  "unshare(CLONE_FS), which fails with EPERM here",
                  "FILESYSTEM_THREAD_POOL_SIZE (environment)",
                  "leave it at 0, or relax the container's seccomp profile",
                  ExitStatus::host_unsupported}},
                {}});
}

TEST_CASE("auto with an option of each driver") {
  CHECK(choose({"FILESYSTEM_WRPOLICY=immediate", "FILESYSTEM_XATTR=1"}, docker_host()).verdict ==
        Verdict{{{"FILESYSTEM_XATTR='1': xattr can only be used with driver=virtiofs",
                  "FILESYSTEM_XATTR (environment)",
                  "leave it out, or FILESYSTEM_WRPOLICY, which needs 9p"}},
                {}});
}

TEST_CASE("links that the host made are named where mapped cannot read them") {
  auto host = docker_host();
  host.files.at("/share").link = "node_modules/.bin/a b";
  const auto warning = [](const std::string& other) {
    return "Filesystem #1: with FILESYSTEM_ACCESSMODE=mapped the guest cannot follow symbolic "
           "links "
           "that the host made (Too many levels of symbolic links), such as "
           "/share/node_modules/.bin/a b; FILESYSTEM_ACCESSMODE=" +
           other + " reads them";
  };
  CHECK(choose({"FILESYSTEM_ACCESSMODE=mapped"}, host).verdict ==
        Verdict{{}, {warning("passthrough")}});
  CHECK(choose({"FILESYSTEM_ACCESSMODE=mapped", "FILESYSTEM_READONLY=1"}, host).verdict ==
        Verdict{{}, {warning("squash")}});
  CHECK(choose({"FILESYSTEM_ACCESSMODE=squash"}, host).verdict == Verdict{});
}

TEST_CASE("9p without a cache is warned of, since guests can hang in it") {
  const Strings none = {"FILESYSTEM_CACHE=none", "FILESYSTEM_WRPOLICY=immediate"};
  CHECK(choose(none, docker_host()).verdict ==
        Verdict{{},
                {"Filesystem #1: FILESYSTEM_CACHE=none over 9p: in a guest with Linux 6.8 or later "
                 "a read never returns when the file has become shorter since it was opened, and "
                 "the guest then does not shut down; FILESYSTEM_CACHE=auto keeps clear of it"}});
  CHECK(choose({"FILESYSTEM_CACHE=auto", "FILESYSTEM_WRPOLICY=immediate"}, docker_host()).verdict ==
        Verdict{});
}

}  // namespace
}  // namespace vmr::test
