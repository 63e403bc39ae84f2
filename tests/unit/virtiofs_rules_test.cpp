// SPDX-License-Identifier: MIT
#include "spec/virtiofs.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

constexpr auto unsupported = ExitStatus::host_unsupported;
const std::string driver_origin = "FILESYSTEM_DRIVER (default)";

Strings with(const Strings& settings) {
  Strings environment = {"FILESYSTEM_SOURCE=/share"};
  environment.insert(environment.end(), settings.begin(), settings.end());
  return environment;
}

Sandbox sandbox_of(const Strings& settings, const Host& host) {
  return spec_of(with(settings), host).shares.at(0).sandbox;
}

Host unable(Host host) {
  host.abilities = {};
  return host;
}

TEST_CASE("the strongest sandbox that works is chosen") {
  CHECK(sandbox_of({}, docker_host()) == Sandbox::chroot);
  CHECK(sandbox_of({}, debian_12_host()) == Sandbox::name_space);
  CHECK(sandbox_of({}, ordinary_user()) == Sandbox::name_space);

  auto privileged = docker_host();
  privileged.abilities.sys_admin = privileged.abilities.unshare_fs = true;
  CHECK(sandbox_of({}, privileged) == Sandbox::name_space);

  auto no_unshare = docker_host();
  no_unshare.abilities.sys_admin = true;
  CHECK(sandbox_of({}, no_unshare) == Sandbox::chroot);

  auto c_with_chroot = debian_12_host();
  c_with_chroot.abilities.sys_admin = false;
  CHECK(sandbox_of({}, c_with_chroot) == Sandbox::chroot);
}

TEST_CASE("root has no use for a user namespace") {
  auto host = docker_host();
  host.abilities = {};
  host.abilities.user_namespace = true;
  CHECK(resolve_settings(with({}), host).spec.shares.at(0).sandbox == Sandbox::none);
}

TEST_CASE("a sandbox that was asked for is taken as it is") {
  CHECK(sandbox_of({"FILESYSTEM_SANDBOX=none"}, docker_host()) == Sandbox::none);
  CHECK(sandbox_of({"FILESYSTEM_SANDBOX=chroot"}, debian_12_host()) == Sandbox::chroot);
  CHECK(judge(with({"FILESYSTEM_SANDBOX=chroot"}), docker_host()) == Verdict{});
}

TEST_CASE("no sandbox at all is worth a warning") {
  const auto host = unable(ordinary_user());
  CHECK(judge(with({}), host) ==
        Verdict{{},
                {"virtiofsd runs without a sandbox, since none works here: a symbolic link may "
                 "lead the guest out of the source ('chroot' needs root with SYS_CHROOT; "
                 "'namespace' needs user namespaces and an unmasked /proc)"}});
  CHECK(sandbox_of({}, host) == Sandbox::none);
  CHECK(judge(with({"FILESYSTEM_SANDBOX=none"}), docker_host()) ==
        Verdict{{},
                {"Filesystem #1: FILESYSTEM_SANDBOX='none': virtiofsd runs without a sandbox: a "
                 "guest's root may get out of the source; leave it out for the "
                 "strongest sandbox that works here"}});
}

TEST_CASE("one line says which sandbox was chosen and what a stronger one needs") {
  const auto notes = [](const Strings& settings, const Host& host) {
    return resolve_settings(settings, host).notes;
  };
  const std::string chroot =
      "virtiofsd runs in its sandbox 'chroot', the strongest that works here ('namespace' needs "
      "the right to mount: ";
  CHECK(notes({"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/new"}, docker_host()) ==
        Strings{chroot + "--cap-add SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, "
                         "and --security-opt apparmor=unconfined where AppArmor confines "
                         "containers)"});
  auto on_a_host = docker_host();
  on_a_host.surroundings = Surroundings::machine;
  CHECK(notes(with({}), on_a_host) ==
        Strings{chroot + "CAP_SYS_ADMIN, unshare(2) and a root file system that can be moved)"});
  CHECK(notes(with({}), ordinary_user()) ==
        Strings{"virtiofsd runs in its sandbox 'namespace', the strongest"});
  CHECK(notes(with({"FILESYSTEM_SANDBOX=chroot"}), docker_host()).empty());
  CHECK(notes(with({"FILESYSTEM_DRIVER=9p"}), docker_host()).empty());
}

/// The refusal of FILESYSTEM_SANDBOX='`word`'.
Verdict refused_sandbox(const std::string& word, const std::string& reason,
                        const std::string& hint) {
  return {{{"FILESYSTEM_SANDBOX='" + word + "': " + reason, "FILESYSTEM_SANDBOX (environment)",
            hint + ", or use FILESYSTEM_DRIVER=9p without FILESYSTEM_SANDBOX", unsupported}},
          {}};
}

TEST_CASE("a sandbox that does not work here") {
  const auto judge_sandbox = [](const std::string& word, const Host& host) {
    return judge(with({"FILESYSTEM_SANDBOX=" + word}), host);
  };
  CHECK(judge_sandbox("none", debian_12_host()) ==
        refused_sandbox("none", "the C virtiofsd has no sandbox 'none'",
                        "use a virtiofsd written in Rust (Debian 13), or leave it out: "
                        "'namespace' works here"));
  CHECK(judge_sandbox("chroot", ordinary_user()) ==
        refused_sandbox("chroot", "'chroot' needs root with SYS_CHROOT",
                        "run as root, or leave it out: 'namespace' works here"));
  CHECK(judge_sandbox("chroot", unable(docker_host())) ==
        refused_sandbox("chroot", "'chroot' needs root with SYS_CHROOT",
                        "give root that capability (--cap-add SYS_CHROOT), or leave it out: "
                        "'none' works here"));
  CHECK(judge_sandbox("namespace", docker_host()) ==
        refused_sandbox(
            "namespace", "'namespace' needs SYS_ADMIN, unshare(2) and pivot_root(2)",
            "use --cap-add SYS_ADMIN --security-opt seccomp=docker/seccomp-virtiofs.json, and "
            "--security-opt apparmor=unconfined where AppArmor confines containers, or leave it "
            "out: 'chroot' works here"));
  CHECK(judge_sandbox("namespace", unable(ordinary_user())) ==
        refused_sandbox("namespace",
                        "for an ordinary user 'namespace' needs a virtiofsd written in Rust, user "
                        "namespaces and an unmasked /proc",
                        "allow these (in a container --security-opt systempaths=unconfined unmasks "
                        "/proc), or run as root, or leave it out: 'none' works here"));
}

TEST_CASE("the C virtiofsd needs root") {
  auto host = debian_12_host();
  host.uid = 1000;
  host.abilities = {false, true, false, true, false};
  const Problem root = {
      "FILESYSTEM_DRIVER='virtiofs': the C virtiofsd needs root", driver_origin,
      "use a virtiofsd written in Rust (Debian 13), or run as root, or use FILESYSTEM_DRIVER=9p",
      unsupported};
  CHECK(judge(with({}), host) == Verdict{{root}, {}});
  auto without_sandbox = root;
  without_sandbox.hint += " without FILESYSTEM_SANDBOX";
  for (const std::string word : {"namespace", "chroot"}) {
    CHECK(judge(with({"FILESYSTEM_SANDBOX=" + word}), host) == Verdict{{without_sandbox}, {}});
  }
  auto none = refused_sandbox("none", "the C virtiofsd has no sandbox 'none'",
                              "use a virtiofsd written in Rust (Debian 13)");
  none.problems.insert(none.problems.begin(), without_sandbox);
  CHECK(judge(with({"FILESYSTEM_SANDBOX=none"}), host) == none);

  host.uid = 0;
  CHECK(judge(with({}), host) ==
        Verdict{{{"FILESYSTEM_DRIVER='virtiofs': the C virtiofsd needs root with SYS_CHROOT or "
                  "SYS_ADMIN",
                  driver_origin,
                  "give root one of these capabilities (--cap-add SYS_CHROOT), or use a virtiofsd "
                  "written in Rust (Debian 13), or use FILESYSTEM_DRIVER=9p",
                  unsupported}},
                {}});
}

TEST_CASE("the C virtiofsd always unshares") {
  auto host = debian_12_host();
  host.abilities = docker_host().abilities;
  CHECK(judge(with({}), host) ==
        Verdict{{{"FILESYSTEM_DRIVER='virtiofs': this virtiofsd always calls unshare(2), and "
                  "unshare(CLONE_FS) failed with EPERM, as a container's seccomp profile makes it",
                  driver_origin,
                  "use a virtiofsd written in Rust (Debian 13), or relax the container's seccomp "
                  "profile (--security-opt seccomp=docker/seccomp-virtiofs.json, or "
                  "seccomp=unconfined), or use FILESYSTEM_DRIVER=9p",
                  unsupported}},
                {}});
}

TEST_CASE("root without its capabilities") {
  auto host = docker_host();
  host.missing_capabilities = {"CHOWN", "SETUID"};
  CHECK(judge(with({}), host) ==
        Verdict{{{"FILESYSTEM_DRIVER='virtiofs': virtiofsd needs the capabilities CHOWN, SETUID",
                  driver_origin,
                  "give them back (--cap-add CHOWN --cap-add SETUID), or run as another user "
                  "(--user), or use FILESYSTEM_DRIVER=9p",
                  unsupported}},
                {}});
  // Whoever follows the hint has a sandbox then.
  auto without_any = host;
  without_any.abilities.chroot = false;
  const auto hint = [&](const Strings& settings) {
    return judge(with(settings), without_any).problems.front().hint;
  };
  CHECK(
      hint({}).starts_with("give them back (--cap-add CHOWN --cap-add SETUID --cap-add "
                           "SYS_CHROOT), or run as another user"));
  CHECK(hint({"FILESYSTEM_SANDBOX=none"})
            .starts_with("give them back (--cap-add CHOWN --cap-add SETUID), or run as"));
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p"}), host) ==
        Verdict{{},
                {"Filesystem #1: the guest's user 1000 cannot write there: QEMU runs as user 0 and "
                 "can act for nobody else; use FILESYSTEM_DRIVER=9p with "
                 "FILESYSTEM_ACCESSMODE=mapped"}});
}

TEST_CASE("a thread pool of the Rust virtiofsd unshares") {
  CHECK(judge(with({"FILESYSTEM_THREAD_POOL_SIZE=4"}), docker_host()) ==
        Verdict{{{"FILESYSTEM_THREAD_POOL_SIZE='4': a virtiofsd thread pool calls "
                  "unshare(CLONE_FS), which fails with EPERM here",
                  "FILESYSTEM_THREAD_POOL_SIZE (environment)",
                  "leave it at 0, or relax the container's seccomp profile, or use "
                  "FILESYSTEM_DRIVER=9p without FILESYSTEM_THREAD_POOL_SIZE",
                  unsupported}},
                {}});
  CHECK(judge(with({"FILESYSTEM_THREAD_POOL_SIZE=0"}), docker_host()) == Verdict{});
}

TEST_CASE("no virtiofsd in the words of libvirt") {
  for (const std::string words : {"Unable to find a satisfying virtiofsd",
                                  "virtiofsd binary '/x/virtiofsd' is not executable"}) {
    auto host = docker_host();
    host.virtiofsd.reset();
    host.virtiofsd_problem = words;
    CHECK(judge(with({}), host) ==
          Verdict{{{"FILESYSTEM_DRIVER='virtiofs': " + words, driver_origin,
                    "install virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common), or "
                    "use FILESYSTEM_DRIVER=9p",
                    unsupported}},
                  {}});
    CHECK(judge(with({"FILESYSTEM_DRIVER=9p"}), host) == Verdict{});
  }
}

TEST_CASE("a read-only share needs a virtiofsd that can or a read-only mount") {
  const Strings settings = with({"FILESYSTEM_READONLY=yes"});
  auto host = debian_12_host();
  CHECK(judge(settings, host) ==
        Verdict{{{"FILESYSTEM_READONLY='1': virtiofs does not yet support read-only mode with this "
                  "virtiofsd (/usr/lib/qemu/virtiofsd has no --readonly)",
                  "FILESYSTEM_READONLY (environment)",
                  "mount the source read-only on the host (docker run -v …:ro), or use virtiofsd "
                  "1.13 or later, or use FILESYSTEM_DRIVER=9p",
                  unsupported}},
                {}});
  host.files["/share"].read_only_mount = true;
  CHECK(judge(settings, host) == Verdict{});
  CHECK(judge(settings, docker_host()) == Verdict{});
  host.files["/share"].read_only_mount = false;
  CHECK(judge(with({"FILESYSTEM_READONLY=1", "FILESYSTEM_DRIVER=9p"}), host) == Verdict{});
}

TEST_CASE("all that keeps virtiofs from running is said at once") {
  auto host = debian_12_host();
  host.abilities = {};
  const auto verdict = judge(with({"FILESYSTEM_READONLY=1"}), host);
  Strings variables;
  for (const auto& problem : verdict.problems) {
    variables.push_back(problem.message.substr(0, problem.message.find('=')));
    CHECK(problem.status == unsupported);
  }
  CHECK(variables == Strings{"FILESYSTEM_READONLY", "FILESYSTEM_DRIVER", "FILESYSTEM_DRIVER"});
}

}  // namespace
}  // namespace vmr::test
