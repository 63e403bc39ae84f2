// SPDX-License-Identifier: MIT
#include "plan/explain.hpp"

#include "config/load.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <set>

namespace vmr {

static std::ostream& operator<<(std::ostream& out, const Explanation& explanation) {
  return out << '\n' << as_comments(explanation);
}

}  // namespace vmr

namespace vmr::test {
namespace {

/// A launch on `host`, and why each part of it is there.
struct Explained {
  std::vector<Part> parts;
  std::vector<Explanation> explanations;

  [[nodiscard]] const Explanation& of(const std::string& name, int share = 0) const {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].name == name && parts[i].share == share) return explanations[i];
    }
    throw std::out_of_range(name);
  }
};

Explained explained(const Strings& environment, const Host& host, const std::string& toml = {},
                    const Strings& assignments = {}) {
  Arguments arguments;
  arguments.assignments = assignments;
  const auto loaded = load_config(arguments, environment, {"vm.toml", toml});
  REQUIRE(loaded.problems.empty());
  const auto resolved = resolve(loaded.config, host);
  REQUIRE(resolved.problems.empty());
  const auto plan = make_plan(resolved.spec, host);
  Explained result;
  result.parts = parts_of(plan, plan.attempts.front());
  for (const auto& part : result.parts) {
    result.explanations.push_back(explain(part, plan, loaded.given));
  }
  return result;
}

TEST_CASE("a setting is shown with where it was given, or with what it is by default") {
  const auto all = explained({"MEMORY=1G", "GUEST_PASSWORD=hunter2"}, docker_host(),
                             "cpus = 1\nhotplug_shares = 0", {"CPU_MODEL=max,-avx"});
  CHECK(
      all.of("memory") ==
      Explanation{"memory: the guest's memory; a block that virtiofsd can map too, where it has to",
                  {"private: nobody else has to see it"},
                  {"MEMORY=1G (environment)", "HOTPLUG_SHARES=0 (vm.toml:2)"}});
  CHECK(all.of("machine") ==
        Explanation{"machine: the machine, its CPUs and what runs them",
                    {"run tries KVM first, and TCG when QEMU cannot start with it"},
                    {"MACHINE is not set: QEMU's machine type; unset: q35, or virt for aarch64",
                     "ARCH is not set: architecture of the guest: x86_64 or aarch64; unset: this "
                     "machine's",
                     "ACCEL=auto (default): auto (KVM where it works, else TCG), kvm or tcg",
                     "REQUIRE_KVM=0 (default): fail rather than run without KVM",
                     "CPU_MODEL=max,-avx (--set)", "CPUS=1 (vm.toml:1)"}});
  CHECK(all.of("seed").settings ==
        Strings{"CLOUD_INIT=1 (default): give the guest a NoCloud seed, which mounts the shares",
                "CLOUD_INIT_USER_DATA is not set: file with your own cloud-init user-data, used as "
                "it is",
                "GUEST_PASSWORD=(hidden) (environment)",
                "GUEST_PASSWORD_FILE is not set: file with the GUEST_PASSWORD, in place of it",
                "SSH_PUBKEY is not set: public keys that may log in, one a line",
                "GUEST_NAME=vm (default): name of the VM and host name of the guest"});
}

TEST_CASE("the memory is shared for a share of virtiofs, or for one that may come") {
  CHECK(explained({"FILESYSTEM7_SOURCE=/share"}, docker_host()).of("memory").notes ==
        Strings{"shared, since virtiofsd serves share #7 from it"});
  CHECK(explained({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"}, docker_host())
            .of("memory")
            .notes == Strings{"shared, since a share may be added while it runs"});
}

TEST_CASE("what no setting changes says so, and what is the user's own") {
  const auto all = explained({"EXTRA_ARGS=-device 'a b'"}, docker_host());
  CHECK(all.of("panic") ==
        Explanation{"panic: tells QEMU, and so the launcher, that the guest's kernel has panicked",
                    {"always there: no setting changes it"},
                    {}});
  CHECK(all.of("extra") == Explanation{"extra: your own arguments, as they are",
                                       {},
                                       {"EXTRA_ARGS='-device '\\''a b'\\''' (environment)"}});
}

TEST_CASE("a share is explained at its helper and at its device") {
  const auto all =
      explained({"FILESYSTEM2_SOURCE=/share", "FILESYSTEM2_READONLY=1", "FILESYSTEM2_QUEUE_SIZE=64",
                 "FILESYSTEM3_SOURCE=/share", "FILESYSTEM3_DRIVER=9p", "FILESYSTEM3_TARGET=t",
                 "FILESYSTEM3_ACCESSMODE=mapped", "FILESYSTEM3_FMODE=0600"},
                docker_host());
  CHECK(all.of("virtiofsd-2", 2) ==
        Explanation{"virtiofsd-2: serves /share to QEMU as share #2",
                    {"--sandbox: 'chroot' is the strongest that works here",
                     "--fd: the launcher binds the socket and hands it over",
                     "--inode-file-handles: never, unless CAP_DAC_READ_SEARCH is there",
                     "--rlimit-nofile: as many open files as this host allows"},
                    {"FILESYSTEM2_SOURCE=/share (environment)",
                     "FILESYSTEM2_DRIVER=virtiofs (default): virtiofs, 9p, or auto (virtiofs where "
                     "it can run, else 9p)",
                     "FILESYSTEM2_READONLY=1 (environment)",
                     "FILESYSTEM2_CACHE=auto (default): caching in the guest: auto, none, metadata "
                     "or always",
                     "FILESYSTEM2_SANDBOX=auto (default): of virtiofsd: auto (the strongest that "
                     "works), namespace, chroot or none",
                     "FILESYSTEM2_OWNER is not set: uid:gid that owns on the host whatever the "
                     "guest makes; virtiofs only",
                     "FILESYSTEM2_XATTR=0 (default): extended attributes; virtiofs only",
                     "FILESYSTEM2_POSIX_ACL=0 (default): POSIX ACLs; virtiofs only",
                     "FILESYSTEM2_PRIVILEGED_FILES=0 (default): whether the guest may leave "
                     "set-user-ID programs, devices and file capabilities",
                     "FILESYSTEM2_THREAD_POOL_SIZE is not set: threads of virtiofsd, up to 1024; "
                     "virtiofs only; unset: 0"}});
  CHECK(all.of("shares", 2) ==
        Explanation{"share #2: /share as 'share' over virtiofs",
                    {"the guest mounts it at /mnt/share",
                     "addr: eight shares to a PCI slot, so that many fit"},
                    {"FILESYSTEM2_TARGET is not set: tag the guest sees; unset: last component of "
                     "the source",
                     "FILESYSTEM2_DRIVER=virtiofs (default): virtiofs, 9p, or auto (virtiofs where "
                     "it can run, else 9p)",
                     "FILESYSTEM2_QUEUE_SIZE=64 (environment)",
                     "GUEST_NAME=vm (default): name of the VM and host name of the guest"}});
  const auto& ninep = all.of("shares", 3);
  CHECK(ninep.title == "share #3: /share as 't' over 9p");
  CHECK(ninep.settings.at(3) == "FILESYSTEM3_ACCESSMODE=mapped (environment)");
  CHECK(ninep.settings.at(7) == "FILESYSTEM3_FMODE=0600 (environment)");
  CHECK(ninep.settings.size() == 9);
}

TEST_CASE("an asked for sandbox is not called the strongest") {
  const auto all =
      explained({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=none"}, docker_host());
  CHECK(all.of("virtiofsd-1", 1).notes ==
        Strings{"--fd: the launcher binds the socket and hands it over",
                "--inode-file-handles: never, unless CAP_DAC_READ_SEARCH is there",
                "--rlimit-nofile: as many open files as this host allows"});
}

TEST_CASE("no value breaks out of a comment") {
  const auto all = explained(
      {"FILESYSTEM_SOURCE=/share", "CMDLINE=a\nb; touch /tmp/x\r\n", "KERNEL=/k\x1b[2J"}, [] {
        auto host = docker_host();
        host.files["/k\x1b[2J"] = regular_file();
        return host;
      }());
  for (const auto& explanation : all.explanations) {
    const auto comments = as_comments(explanation);
    const auto lines = 1 + explanation.notes.size() + explanation.settings.size();
    CHECK(static_cast<std::size_t>(std::count(comments.begin(), comments.end(), '\n')) == lines);
    CHECK(comments.find('\x1b') == comments.npos);
    CHECK(comments.find('\r') == comments.npos);
  }
  CHECK(all.of("boot").settings.at(2) == "CMDLINE='a\\nb; touch /tmp/x\\x0d\\n' (environment)");
}

TEST_CASE("every part of a launch with everything has a purpose") {
  const auto all = explained({"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/share",
                              "FILESYSTEM2_TARGET=b", "FILESYSTEM2_DRIVER=9p", "EXTRA_ARGS=-S"},
                             docker_host());
  for (std::size_t i = 0; i < all.parts.size(); ++i) {
    const auto& explanation = all.explanations[i];
    CAPTURE(all.parts[i].name);
    CHECK_FALSE(explanation.title.ends_with(": "));
    CHECK(explanation.notes.size() + explanation.settings.size() > 0);
  }
}

}  // namespace
}  // namespace vmr::test
