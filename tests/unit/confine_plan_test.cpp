// SPDX-License-Identifier: MIT
#include "plan/confine_plan.hpp"

#include "support/confined.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <linux/capability.h>

namespace vmr::test {
namespace {

TEST_CASE("QEMU of a root that may choose is a user of its own without capabilities") {
  const auto host = open_host();
  CHECK(who({}, host) == own);
  CHECK(who({"FILESYSTEM_SOURCE=/share"}, host) == own);
  CHECK(who({"GUEST_NAME=other"}, host) != own);
  const auto id = tcg_confinement({"GUEST_NAME=other"}, host).user->uid;
  // Between the ordinary users and those that systemd takes for services.
  CHECK(id >= 60706);
  CHECK(id <= 61183);
}

TEST_CASE("a number that was reserved goes before the one that a name gives") {
  auto host = open_host();
  host.own_user = 61000;
  CHECK(who({}, host) == "61000");
  CHECK(tcg_confinement({}, host).user == Owner{61000, 61000});
  CHECK(who({"QEMU_USER=1000:1000"}, host) == "1000");
}

TEST_CASE("9p keeps root and the capabilities that it needs, one by one") {
  const auto host = open_host();
  const Strings passthrough = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"};
  CHECK(who(passthrough, host) == "launcher CHOWN DAC_OVERRIDE FOWNER FSETID");
  CHECK(may(tcg_confinement(passthrough, host), "/share", FileRule::Access::write));
  auto asked = passthrough;
  asked.emplace_back("FILESYSTEM_PRIVILEGED_FILES=1");
  CHECK(who(asked, host) == "launcher CHOWN DAC_OVERRIDE FOWNER FSETID MKNOD SETFCAP");
  CHECK(may(tcg_confinement(asked, host), "/share", FileRule::Access::devices));
  asked.emplace_back("FILESYSTEM_READONLY=1");
  CHECK(who(asked, host) == "launcher CHOWN DAC_OVERRIDE FOWNER FSETID");
  auto squash = passthrough;
  squash.emplace_back("FILESYSTEM_ACCESSMODE=squash");
  CHECK(who(squash, host) == "launcher CHOWN DAC_OVERRIDE FOWNER FSETID");
  auto mapped = passthrough;
  mapped.emplace_back("FILESYSTEM_ACCESSMODE=mapped");
  CHECK(who(mapped, host) == std::string(own) + " DAC_OVERRIDE FOWNER");
  mapped.emplace_back("FILESYSTEM_PRIVILEGED_FILES=1");
  CHECK(who(mapped, host) == std::string(own) + " DAC_OVERRIDE FOWNER");
  mapped.emplace_back("QEMU_USER=1000:1000");
  CHECK(who(mapped, host) == "1000");
  squash.insert(squash.end(), {"QEMU_USER=1000:1000", "FILESYSTEM_PRIVILEGED_FILES=1"});
  CHECK(who(squash, host) == "1000");
}

TEST_CASE("QEMU is refused the calls that its machine does without") {
  const auto host = open_host();
  const auto refused = [&](const Strings& environment) {
    return tcg_confinement(environment, host).refused;
  };
  using Calls = std::vector<Refused>;
  const Calls most = {Refused::local_sockets, Refused::kernel_doors, Refused::mounts,
                      Refused::namespaces,    Refused::file_handles, Refused::name_truncated};
  const auto with = [&](const Calls& more) {
    auto calls = most;
    calls.insert(calls.end(), more.begin(), more.end());
    return calls;
  };
  const auto all = with({Refused::io_uring, Refused::set_user_id, Refused::set_group_id});
  CHECK(refused({}) == all);
  CHECK(refused({"FILESYSTEM_SOURCE=/share"}) == all);
  const Strings ninep = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"};
  CHECK(refused(ninep) == all);
  const auto plus = [&](const char* setting) {
    auto settings = ninep;
    settings.emplace_back(setting);
    return settings;
  };
  CHECK(refused(plus("FILESYSTEM_PRIVILEGED_FILES=1")) == with({Refused::io_uring}));
  CHECK(refused(plus("FILESYSTEM_ACCESSMODE=mapped")) == all);
  CHECK(refused(plus("FILESYSTEM_READONLY=1")) == all);
  CHECK(refused({"EXTRA_ARGS=-drive file=/guest/disk.qcow2,if=none,aio=io_uring"}) ==
        with({Refused::set_user_id, Refused::set_group_id}));
  CHECK(refused({"EXTRA_ARGS=-chardev socket,id=c,path=/s,server=on,wait=off"}) == Calls{});
  CHECK(refused({"QEMU_USER=launcher"}) == Calls{});
}

TEST_CASE("files that others cannot open cost a capability") {
  auto host = open_host();
  host.files["/guest/disk.qcow2"].mode = 0640;
  CHECK(who({}, host) == std::string(own) + " DAC_OVERRIDE");
  // The launcher opens its files for it, and then folders are in nobody's way.
  host = open_host();
  for (const auto* path :
       {"/guest/disk.qcow2", "/guest/vmlinuz", "/guest/initrd", "/run/vm-runner/vm", "/var/tmp"}) {
    host.files[path].reachable = false;
  }
  host.files["/var/tmp"].mode = 0700;
  CHECK(who({}, host) == own);
}

TEST_CASE("a persistent disk has the images of the guest behind it, or may be elsewhere") {
  auto host = open_host();
  const std::string kept = "/data/vm.qcow2";
  host.files["/guest/disk.qcow2"].backing = "/guest/raw";
  host.files["/guest/raw"] = host.files[kept] = regular_file();
  host.files["/guest/raw"].mode = 0644;
  host.files["/guest/raw"].reachable = host.files[kept].reachable = true;
  host.files[kept].backing = "/guest/disk.qcow2";
  const Strings settings = {"PERSIST=1", "DATA_DIR=/data", "GUEST_PASSWORD=x"};
  CHECK(who(settings, host) == own);
  CHECK(may(tcg_confinement(settings, host), "/guest/raw", FileRule::Access::read));
  CHECK(may(tcg_confinement(settings, host), kept, FileRule::Access::write));
  host.files[kept].real_path = "/elsewhere/vm.qcow2";
  CHECK(who(settings, host) == std::string(own) + " DAC_OVERRIDE");
  // What its header says opens nothing.
  host.files[kept].backing = "/etc/shadow";
  host.disk_place.has_record = true;
  host.disk_place.record = DiskRecord{};
  host.disk_place.record->images = {{"/guest/disk.qcow2", "qcow2", ""}, {"/guest/raw", "raw", ""}};
  CHECK_FALSE(may(tcg_confinement(settings, host), "/etc/shadow", FileRule::Access::read));
}

TEST_CASE("programs are allowed where they really are, and what was installed with them") {
  auto host = open_host();
  host.qemu = "/home/me/bin/qemu-system-x86_64";
  host.files[host.qemu].real_path = "/opt/q/bin/qemu-system-x86_64";
  const auto confinement = tcg_confinement({}, host);
  for (const auto* path : {"/opt/q/bin/qemu-system-x86_64", "/opt/q/lib", "/opt/q/share"}) {
    CHECK(may(confinement, path, FileRule::Access::read));
  }
  CHECK_FALSE(may(confinement, "/opt/q", FileRule::Access::read));
  CHECK_FALSE(may(confinement, "/home/me", FileRule::Access::read));
}

TEST_CASE("a device of KVM that only the launcher's user was let to keeps QEMU that user") {
  auto host = open_host();
  host.kvm.owner = {65534, 65534};
  CHECK(who({}, host) == "launcher DAC_OVERRIDE");
}

TEST_CASE("a chosen user has what is its own") {
  auto host = open_host();
  host.files["/guest/disk.qcow2"].mode = 0600;
  CHECK(who({"QEMU_USER=1000:1000"}, host) == "1000");
}

TEST_CASE("a low port needs its capability") {
  CHECK(who({"SSH_PORT=22"}, open_host()) == std::string(own) + " NET_BIND_SERVICE");
}

TEST_CASE("whoever cannot become another user stays itself") {
  auto host = open_host();
  host.other_user = false;
  CHECK(who({}, host) == "launcher DAC_OVERRIDE");
  CHECK(who({}, ordinary_user()) == "launcher");
  CHECK(who({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"}, ordinary_user()) == "launcher");
}

TEST_CASE("QEMU_USER=launcher takes nothing away") {
  const auto plan = plan_of({"QEMU_USER=launcher", "FILESYSTEM_SOURCE=/share"}, open_host());
  CHECK(plan.attempts.front().process.confinement == Confinement{});
  CHECK(plan.shares.front().helper->confinement == Confinement{});
}

TEST_CASE("KVM is opened by the group of its device") {
  auto host = open_host();
  const auto kvm = [&] { return plan_of({}, host).attempts.front().process.confinement; };
  host.kvm.owner = {0, 108};
  host.kvm.mode = 0660;
  CHECK(kvm().groups == std::vector<std::uint32_t>{108});
  CHECK(kvm().capabilities == CapabilitySet{0});
  CHECK(may(kvm(), "/dev/kvm", FileRule::Access::write));
  host.kvm.mode = 0666;
  CHECK(kvm().groups.empty());
  host.kvm.mode = 0600;
  CHECK(kvm().capabilities == capability_set({CAP_DAC_OVERRIDE}));
  CHECK_FALSE(may(tcg_confinement({}, host), "/dev/kvm", FileRule::Access::write));
}

TEST_CASE("QEMU sees its images, its 9p sources, and no virtiofs source") {
  auto host = open_host();
  host.files["/guest/disk.qcow2"].backing = "/guest/base, 'ü'/raw";
  host.files["/guest/base, 'ü'/raw"] = regular_file();
  const auto confinement = tcg_confinement(
      {"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/nine p", "FILESYSTEM2_DRIVER=9p",
       "FILESYSTEM3_SOURCE=/read", "FILESYSTEM3_DRIVER=9p", "FILESYSTEM3_READONLY=1"},
      [&] {
        host.files["/nine p"] = host.files["/read"] = folder();
        return host;
      }());
  using Access = FileRule::Access;
  CHECK(may(confinement, "/guest/disk.qcow2", Access::read));
  CHECK(may(confinement, "/guest/base, 'ü'/raw", Access::read));
  CHECK(may(confinement, "/guest/vmlinuz", Access::read));
  CHECK(may(confinement, "/run/vm-runner/vm/seed.iso", Access::read));
  CHECK(may(confinement, "/var/tmp", Access::write));
  CHECK(may(confinement, "/nine p", Access::write));
  CHECK(may(confinement, "/read", Access::read));
  const auto names = [&](const std::string& path) {
    return std::any_of(confinement.files.begin(), confinement.files.end(),
                       [&](const FileRule& rule) { return rule.path == path; });
  };
  CHECK_FALSE(names("/share"));
  CHECK_FALSE(names("/"));
  CHECK_FALSE(names("/etc"));
  CHECK_FALSE(names("/proc"));
}

TEST_CASE("virtiofsd keeps what its sandbox needs") {
  const auto host = open_host();
  const auto confine = [&](const std::string& sandbox, const std::string& readonly) {
    return plan_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=" + sandbox,
                    "FILESYSTEM_READONLY=" + readonly},
                   host)
        .shares.front()
        .helper->confinement;
  };
  const auto chroot = confine("chroot", "0");
  CHECK(names_of(*chroot.capabilities) == Strings{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID",
                                                  "SETGID", "SETUID", "SETPCAP", "SYS_CHROOT",
                                                  "MKNOD", "SETFCAP"});
  CHECK(chroot.no_new_privileges);
  CHECK(chroot.user == std::nullopt);
  CHECK(may(chroot, "/share", FileRule::Access::devices));
  CHECK(may(confine("chroot", "1"), "/share", FileRule::Access::read));
  CHECK(may(confine("none", "0"), "/share", FileRule::Access::devices));
  const auto own_host = ordinary_user();
  const auto user = plan_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=namespace"}, own_host)
                        .shares.front()
                        .helper->confinement;
  const std::vector<Refused> always = {Refused::local_sockets, Refused::kernel_doors,
                                       Refused::io_uring};
  const auto with = [&](const std::vector<Refused>& more) {
    auto calls = always;
    calls.insert(calls.end(), more.begin(), more.end());
    return calls;
  };
  CHECK(user == Confinement{std::nullopt,
                            {},
                            std::nullopt,
                            true,
                            {},
                            {},
                            with({Refused::file_handles, Refused::set_user_id})});
  CHECK(chroot.refused == with({Refused::mounts, Refused::file_handles, Refused::set_user_id}));
  CHECK(confine("chroot", "1").refused == with({Refused::mounts, Refused::file_handles,
                                                Refused::set_user_id, Refused::set_group_id}));
  auto privileged = open_host();
  privileged.abilities.dac_read_search = true;
  const auto reading = plan_of(
      {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_PRIVILEGED_FILES=1"},
      privileged);
  CHECK(reading.shares.front().helper->confinement.refused == with({Refused::mounts}));
}

TEST_CASE("how QEMU runs is told in one line") {
  const auto line = [](const Strings& environment, const Host& host) {
    const auto spec = spec_of(environment, host);
    return describe_qemu_user(spec, host, make_plan(spec, host).attempts.back());
  };
  CHECK(line({}, open_host()) == "QEMU runs as user 60914 without capabilities");
  CHECK(line({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p"}, open_host()) ==
        "QEMU runs as this user with the capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID alone");
  CHECK(
      line({"FILESYSTEM2_SOURCE=/a, 'b' c", "FILESYSTEM2_DRIVER=9p",
            "FILESYSTEM2_ACCESSMODE=mapped"},
           open_host()) ==
      "QEMU runs as user 60914 with the capabilities DAC_OVERRIDE, FOWNER alone, since '/a, 'b' c' "
      "of filesystem #2 is not its own (chown 60914:60914 makes it so)");
  CHECK(line({"QEMU_USER=launcher"}, open_host()) ==
        "QEMU runs as this user, and nothing is taken from it (QEMU_USER=launcher)");
  CHECK(line({"EXTRA_ARGS=-pflash x"}, open_host()) ==
        "QEMU runs as this user, and nothing is taken from it: its own arguments open files or "
        "devices that only you know of (QEMU_USER=UID:GID makes it another user all the same)");
}

TEST_CASE("a guest leaves programs of their owner and devices only where it is let") {
  const auto told = [](const Strings& environment) {
    return describe_refused_files(plan_of(environment, open_host()));
  };
  const Strings two = {"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/b",
                       "FILESYSTEM2_DRIVER=9p"};
  const auto plus = [&](const Strings& more) {
    auto settings = two;
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
  };
  CHECK(
      told(two) ==
      "The guest sets no set-user-ID bit, over 9p no set-group-ID bit either, and makes no device "
      "in its shares; FILESYSTEM_PRIVILEGED_FILES=1, FILESYSTEM2_PRIVILEGED_FILES=1 lets it");
  CHECK(told(plus({"FILESYSTEM2_ACCESSMODE=mapped"})) ==
        "The guest sets no set-user-ID bit and makes no device in its shares; "
        "FILESYSTEM_PRIVILEGED_FILES=1 lets it");
  CHECK(told(plus({"FILESYSTEM_READONLY=1", "FILESYSTEM2_PRIVILEGED_FILES=1"})) == "");
  CHECK(told(plus({"QEMU_USER=launcher"})) == "");
  CHECK(told({}) == "");
}

TEST_CASE("QEMU's own sandbox denies what none of our arguments needs") {
  const auto group = [](const Strings& environment) {
    const auto plan = plan_of(environment, open_host());
    for (const auto& group : plan.attempts.back().groups) {
      if (group.name == "sandbox") return group.arguments.back();
    }
    return std::string("none");
  };
  CHECK(group({}) == "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  CHECK(group({"EXTRA_ARGS=-netdev tap,id=t"}) == "on,obsolete=deny");
  CHECK(group({"EXTRA_ARGS=-sandbox off"}) == "none");
}

TEST_CASE("a user is a word or two numbers") {
  const auto host = open_host();
  CHECK(judge({"QEMU_USER=nobody"}, host).problems ==
        std::vector<Problem>{{"QEMU_USER='nobody': neither a word nor an owner",
                              "QEMU_USER (environment)",
                              "auto, launcher, or the numbers of a user and a group: 1000:1000"}});
  CHECK(judge({"QEMU_USER=1000:1000"}, host).problems.empty());
  CHECK(judge({"QEMU_USER=0:0"}, ordinary_user()).problems ==
        std::vector<Problem>{
            {"QEMU_USER='0:0': this process cannot start programs as another user",
             "QEMU_USER (environment)",
             "leave it out, or run as root with the capabilities SETUID, SETGID, KILL and CHOWN",
             ExitStatus::host_unsupported}});
  CHECK(judge({"QEMU_USER=1000:1000"}, ordinary_user()).problems.empty());
}

}  // namespace
}  // namespace vmr::test
