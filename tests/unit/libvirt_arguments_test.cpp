// SPDX-License-Identifier: MIT
// A share means the same to QEMU and virtiofsd as it does at libvirt: what libvirt 9.0 generates
// for the same settings (scripts/compare-libvirt asks it), with what ours says besides, and no
// more.
#include "plan/launch_plan.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/qemu_option_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace vmr::test {
namespace {

using Words = std::map<std::string, std::string>;

Argv lines_of(const Words& words) {
  Argv lines;
  for (const auto& [key, value] : words) lines.words.push_back(key + "=" + value);
  return lines;
}

/// An option's keys and values without names, PCI addresses and where a socket is, which each side
/// chooses for itself.
Words meaning_of(const std::string& option) {
  static const std::set<std::string> own = {"id",  "addr",  "multifunction",
                                            "bus", "fsdev", "chardev"};
  Words words;
  for (const auto& [key, value] : parse_qemu_option(option, "driver")) {
    if (!own.contains(key)) CHECK(words.emplace(key, value).second);
  }
  if (words["driver"] == "socket") {
    words.erase("path");
    words.erase("fd");
  }
  if (words["security_model"] == "mapped") words["security_model"] = "mapped-xattr";
  if (words["security_model"].empty()) words.erase("security_model");
  return words;
}

/// libvirt's words, with ours for what is not said there.
Words with(Words words, const Words& ours) {
  words.insert(ours.begin(), ours.end());
  return words;
}

/// The value of the option behind `name` that begins with `start`.
std::string option_of(const Strings& argv, const std::string& name, const std::string& start) {
  for (std::size_t at = 0; at + 1 < argv.size(); ++at) {
    if (argv[at] == name && argv[at + 1].starts_with(start)) return argv[at + 1];
  }
  return {};
}

struct Planned {
  Strings qemu;
  Strings daemon;  ///< without the program
};

Planned plan_of(const Strings& settings, const Host& host) {
  auto environment = settings;
  environment.insert(environment.end(),
                     {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_TARGET=tag", "ACCEL=tcg"});
  const auto plan = make_plan(spec_of(environment, host), host);
  Planned planned;
  planned.qemu = plan.attempts.front().process.argv;
  const auto& helper = plan.shares.front().helper;
  if (helper) planned.daemon = {helper->argv.begin() + 1, helper->argv.end()};
  return planned;
}

/// What a virtiofsd is told: "-o a,b" is "a" and "b", "--x y" is "--x=y"; no order.
Argv told(const Strings& argv) {
  Argv words;
  for (std::size_t at = 0; at < argv.size(); ++at) {
    const bool has_value = at + 1 < argv.size() && !argv[at + 1].starts_with("--") &&
                           argv[at].starts_with('-') && argv[at].find('=') == std::string::npos;
    if (argv[at] == "-o") {
      for (const auto& word : parse_fuse_options(argv[++at])) words.words.push_back("-o " + word);
    } else if (has_value) {
      words.words.push_back(argv[at] + "=" + argv[at + 1]);
      ++at;
    } else {
      words.words.push_back(argv[at]);
    }
  }
  std::sort(words.words.begin(), words.words.end());
  return words;
}

Argv told(Strings argv, const Strings& ours) {
  argv.insert(argv.end(), ours.begin(), ours.end());
  return told(argv);
}

TEST_CASE("the arguments of 9p shares mean what libvirt's do") {
  struct Row {
    Strings settings;
    std::string libvirt;  ///< between "local,security_model=" and ",id="
  };
  const std::string mode = "FILESYSTEM_ACCESSMODE=";
  const std::vector<Row> rows = {
      {{}, "passthrough"},
      {{mode + "passthrough"}, "passthrough"},
      {{mode + "mapped"}, "mapped"},
      {{mode + "squash"}, "none"},
      {{"FILESYSTEM_READONLY=1"}, "passthrough,readonly"},
      {{mode + "mapped", "FILESYSTEM_READONLY=1"}, "mapped,readonly"},
      {{mode + "squash", "FILESYSTEM_READONLY=1"}, "none,readonly"},
      {{"FILESYSTEM_MULTIDEVS=remap"}, "passthrough,multidevs=remap"},
      {{"FILESYSTEM_MULTIDEVS=forbid"}, "passthrough,multidevs=forbid"},
      {{"FILESYSTEM_MULTIDEVS=warn"}, "passthrough,multidevs=warn"},
      {{mode + "mapped", "FILESYSTEM_FMODE=0600"}, "mapped,fmode=0600"},
      {{mode + "mapped", "FILESYSTEM_FMODE=600"}, "mapped,fmode=0600"},
      {{mode + "mapped", "FILESYSTEM_DMODE=0"}, "mapped,dmode=0000"},
      {{mode + "mapped", "FILESYSTEM_FMODE=7", "FILESYSTEM_DMODE=0777"},
       "mapped,fmode=0007,dmode=0777"},
      {{"FILESYSTEM_WRPOLICY=immediate"}, "passthrough,writeout=immediate"},
      {{mode + "mapped", "FILESYSTEM_WRPOLICY=immediate", "FILESYSTEM_MULTIDEVS=warn",
        "FILESYSTEM_FMODE=0640", "FILESYSTEM_DMODE=0750", "FILESYSTEM_READONLY=1"},
       "mapped,multidevs=warn,fmode=0640,dmode=0750,writeout=immediate,readonly"}};
  for (const auto& row : rows) {
    CAPTURE(row.libvirt);
    auto settings = row.settings;
    settings.emplace_back("FILESYSTEM_DRIVER=9p");
    const auto planned = plan_of(settings, docker_host());
    Words ours = {{"multidevs", "remap"}};
    if (row.libvirt.starts_with("mapped")) ours.insert({{"fmode", "0644"}, {"dmode", "0755"}});
    const auto fsdev = option_of(planned.qemu, "-fsdev", "local,");
    CHECK(lines_of(meaning_of(fsdev)) ==
          lines_of(
              with(meaning_of("local,security_model=" + row.libvirt + ",id=fsdev-fs0,path=/share"),
                   ours)));
    const auto device = option_of(planned.qemu, "-device", "virtio-9p-pci,");
    CHECK(lines_of(meaning_of(device)) ==
          lines_of(meaning_of("virtio-9p-pci,id=fs0,fsdev=fsdev-fs0,mount_tag=tag,bus=pci.1,"
                              "addr=0x0")));
    CHECK(planned.daemon.empty());
  }
}

TEST_CASE("the arguments of virtiofs shares mean what libvirt's do") {
  struct Row {
    Strings settings;
    std::string device;  ///< what libvirt adds to the device
    Strings c;           ///< how it starts the C virtiofsd
    Strings rust;        ///< and the Rust one
    Strings ours_to_c;   ///< what we say besides, always
    Strings ours_to_rust;
  };
  const std::string source = "source=/share";
  const Strings shared = {"--shared-dir", "/share"};
  const auto rust = [&](Strings more) {
    more.insert(more.begin(), shared.begin(), shared.end());
    return more;
  };
  const std::string pool = "--thread-pool-size=0";
  const std::vector<Row> rows = {
      {{"FILESYSTEM_SANDBOX=chroot"},
       "",
       {"-o", source + ",sandbox=chroot"},
       rust({"--sandbox", "chroot"}),
       {"-o", "cache=auto,no_xattr", pool},
       {"--cache", "auto", pool}},
      {{"FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_QUEUE_SIZE=512"},
       ",queue-size=512",
       {"-o", source + ",sandbox=chroot"},
       rust({"--sandbox", "chroot"}),
       {"-o", "cache=auto,no_xattr", pool},
       {"--cache", "auto", pool}},
      {{"FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_CACHE=none"},
       "",
       {"-o", source + ",cache=none,sandbox=chroot"},
       rust({"--cache", "never", "--sandbox", "chroot"}),
       {"-o", "no_xattr", pool},
       {pool}},
      {{"FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_CACHE=always", "FILESYSTEM_XATTR=1"},
       "",
       {"-o", source + ",cache=always,sandbox=chroot,xattr"},
       rust({"--cache", "always", "--sandbox", "chroot", "--xattr"}),
       {pool},
       {pool}},
      {{"FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_THREAD_POOL_SIZE=16"},
       "",
       {"-o", source + ",sandbox=chroot", "--thread-pool-size=16"},
       rust({"--sandbox", "chroot", "--thread-pool-size=16"}),
       {"-o", "cache=auto,no_xattr"},
       {"--cache", "auto"}}};
  auto docker = docker_host();
  docker.abilities.unshare_fs = true;
  for (const auto& row : rows) {
    const auto by_c = plan_of(row.settings, debian_12_host());
    const auto by_rust = plan_of(row.settings, docker);
    const std::string limit = "--rlimit-nofile=1000000";
    auto to_c = row.ours_to_c;
    to_c.insert(to_c.end(), {"--fd=3", limit, "-o", "no_posix_acl,announce_submounts", "-o",
                             "modcaps=-setfcap"});
    auto to_rust = row.ours_to_rust;
    to_rust.insert(to_rust.end(), {"--fd=3", limit, "--inode-file-handles=never", "--killpriv-v2",
                                   "--seccomp", "kill", "--modcaps=-setfcap"});
    CHECK(told(by_c.daemon) == told(row.c, to_c));
    CHECK(told(by_rust.daemon) == told(row.rust, to_rust));
    const auto device = option_of(by_c.qemu, "-device", "vhost-user-fs-pci,");
    CHECK(lines_of(meaning_of(device)) ==
          lines_of(with(meaning_of("vhost-user-fs-pci,id=fs0,chardev=chr-vu-fs0" + row.device +
                                   ",tag=tag,bus=pci.1,addr=0x0"),
                        {{"queue-size", "1024"}})));
    const auto chardev = option_of(by_c.qemu, "-chardev", "socket,id=share1,");
    CHECK(lines_of(meaning_of(chardev)) ==
          lines_of(meaning_of("socket,id=chr-vu-fs0,path=/run/fs0-fs.sock")));
  }
}

TEST_CASE("the sandbox namespace is libvirt's, and a read-only share its --readonly") {
  const Strings settings = {"FILESYSTEM_SANDBOX=namespace"};
  CHECK(told(plan_of(settings, debian_12_host()).daemon) ==
        told({"-o", "source=/share,sandbox=namespace"},
             {"--fd=3", "--rlimit-nofile=1000000", "--thread-pool-size=0", "-o",
              "cache=auto,no_xattr,no_posix_acl,announce_submounts", "-o", "modcaps=-setfcap"}));
  CHECK(
      told(plan_of({"FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_READONLY=1"}, docker_host()).daemon) ==
      told({"--shared-dir", "/share", "--sandbox", "chroot", "--readonly"},
           {"--fd=3", "--rlimit-nofile=1000000", "--thread-pool-size=0", "--cache", "auto",
            "--seccomp", "kill", "--modcaps=-setfcap:-chown:-fowner:-fsetid:-mknod",
            "--inode-file-handles=never"}));
}

TEST_CASE("the two sides of a share refer to each other, and the machine to its shared memory") {
  const auto value = [](const std::string& option, const std::string& wanted) {
    for (const auto& [key, value] : parse_qemu_option(option, "driver")) {
      if (key == wanted) return value;
    }
    return std::string("none");
  };
  for (const std::string driver : {"9p", "virtiofs"}) {
    const auto qemu =
        plan_of({"FILESYSTEM_DRIVER=" + driver, "HOTPLUG_SHARES=0", "MEMORY=512"}, docker_host())
            .qemu;
    const auto memory = option_of(qemu, "-object", "memory-backend-memfd,");
    const auto machine = option_of(qemu, "-machine", "q35,");
    if (driver == "9p") {
      CHECK(value(option_of(qemu, "-fsdev", "local,"), "id") ==
            value(option_of(qemu, "-device", "virtio-9p-pci,"), "fsdev"));
      CHECK(memory == "");
      CHECK(value(machine, "memory-backend") == "none");
    } else {
      CHECK(value(option_of(qemu, "-chardev", "socket,id=share1,"), "id") ==
            value(option_of(qemu, "-device", "vhost-user-fs-pci,"), "chardev"));
      CHECK(lines_of(meaning_of(memory)) ==
            lines_of(meaning_of("memory-backend-memfd,id=pc.ram,share=on,size=512M")));
      CHECK(value(machine, "memory-backend") == value(memory, "id"));
    }
  }
}

}  // namespace
}  // namespace vmr::test
