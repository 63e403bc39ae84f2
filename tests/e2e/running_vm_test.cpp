// SPDX-License-Identifier: MIT
// What can be asked of and told to a VM that runs, with a real Debian guest and its agent.
#include "host/capture.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// A Debian guest with one virtiofs share, while it exists.
class Debian {
 public:
  Debian()
      : launcher_({{"BASE_IMAGE", debian_guest()},
                   {"ACCEL", "tcg"},
                   {"MEMORY", "1024"},
                   {"CPUS", "1"},
                   {"GUEST_PASSWORD", "x"},
                   {"FILESYSTEM_SOURCE", folder("first")}}) {}

  /// A folder of the host, made.
  std::string folder(const std::string& name) const {
    std::filesystem::create_directories(host_ / name);
    return host_ / name;
  }

  /// A vm-runner that talks to this one.
  [[nodiscard]] Finished ask(const Lines& arguments) const {
    return Launcher({{"XDG_RUNTIME_DIR", launcher_.runtime_folder()}}, arguments).finish();
  }

  [[nodiscard]] boost::json::object status() const {
    return boost::json::parse(ask({"status", "--format=json"}).output).as_object();
  }

  Launcher& launcher() { return launcher_; }

 private:
  TemporaryFolder host_;
  Launcher launcher_;
};

/// How many virtiofsd the launcher has.
std::size_t helpers_of(const Launcher& launcher) {
  return launcher.children().count("virtiofsd");
}

}  // namespace

TEST_CASE("a share is added to a Debian guest and removed again") {
  Debian vm;
  REQUIRE(vm.launcher().wait_for_log("mounted in the guest"));
  const auto up = vm.ask({"status", "--wait", "--healthy"});
  CHECK(up.status == 0);
  CHECK(up.output == "healthy\n");
  const auto added = vm.folder("added, 'x' ü");
  const auto seen = vm.ask({"share", "add", added, "--set", "TARGET=t", "--set", "MOUNT=/srv/t ü"});
  CHECK_MESSAGE(seen.status == 0, seen.log);
  CHECK(seen.output == "share #2     " + added + " at /srv/t ü (virtiofs): mounted\n");
  CHECK(vm.ask({"exec", "--", "sh", "-c", "echo hello >'/srv/t ü/file'"}).status == 0);
  CHECK(read_file(added + "/file") == "hello\n");
  CHECK(vm.status().at("agent").as_bool());
  CHECK(helpers_of(vm.launcher()) == 2);
  CHECK(vm.ask({"share", "list"}).output == "share #1     " + vm.folder("first") +
                                                " at /mnt/first (virtiofs): mounted\n" +
                                                seen.output);

  // Nothing is added that cannot be, and nothing of it is left.
  const auto ninep = vm.ask({"share", "add", vm.folder("ninep"), "--set", "DRIVER=9p"});
  CHECK(ninep.status == 2);
  CHECK(ninep.log.find("only virtiofs filesystems can be hotplugged") != ninep.log.npos);
  const auto twice = vm.ask({"share", "add", vm.folder("twice"), "--set", "TARGET=t"});
  CHECK(twice.status == 2);
  CHECK(twice.log.find("Target already exists: filesystem #2 has the tag 't'") != twice.log.npos);
  const auto busy = vm.ask({"share", "add", vm.folder("busy"), "--set", "MOUNT=/dev/shm"});
  CHECK(busy.status == 2);
  const auto fixed = vm.ask({"share", "remove", "first"});
  CHECK(fixed.status == 1);
  CHECK(fixed.log.find("is one that the machine was started with") != fixed.log.npos);
  CHECK(helpers_of(vm.launcher()) == 2);

  // The guest of one share does not decide which folder another one is.
  const auto inner = vm.folder("first/parent/inner");
  const auto secret = vm.folder("secret");
  vm.folder("secret/inner");
  CHECK(vm.ask({"exec", "--", "sh", "-c",
                "cd /mnt/first && mv parent moved && ln -s " + secret + " parent"})
            .status == 0);
  const auto led = vm.ask({"share", "add", inner});
  CHECK(led.status == 2);
  CHECK(led.log.find("a part of the way to it is in '" + vm.folder("first") + "'") != led.log.npos);
  CHECK(helpers_of(vm.launcher()) == 2);

  // One that is in use is kept.
  Launcher user({{"XDG_RUNTIME_DIR", vm.launcher().runtime_folder()}},
                {"exec", "--", "sh", "-c", "cd '/srv/t ü' && echo here && exec sleep 1000"});
  REQUIRE(user.wait_for_output("here\n"));
  const auto kept = vm.ask({"share", "remove", "t"});
  CHECK(kept.status == 1);
  CHECK(kept.log.find("the guest does not unmount share 't': umount: /srv/t ü: target is busy.") !=
        kept.log.npos);
  user.signal(SIGINT);
  CHECK(user.finish().status == 128 + SIGINT);
  const auto removed = vm.ask({"share", "remove", "2"});
  CHECK_MESSAGE(removed.status == 0, removed.log);
  CHECK(vm.ask({"exec", "--", "ls", "/srv"}).output.find('t') == std::string::npos);
  CHECK(vm.status().at("shares").as_array().size() == 1);
  CHECK(helpers_of(vm.launcher()) == 1);

  const auto stopped = vm.ask({"stop"});
  CHECK(stopped.status == 0);
  const auto end = vm.launcher().finish();
  CHECK(end.status == 0);
  CHECK(end.log.find("[INFO] Stopping (vm-runner stop)") != end.log.npos);
  CHECK(vm.launcher().left_files() == Lines{});
}

TEST_CASE("a guest that restarts proves its shares anew") {
  const TemporaryFolder host;
  const auto seen = boot(join(share(1, {{"SOURCE", host / "s"}}), {}),
                         "[ -e /mnt/s/once ] || { touch /mnt/s/once; reboot -f; sleep 1000; }\n"
                         "say second\n");
  CHECK(seen.status == 0);
  CHECK(seen.said == Lines{"second"});
  CHECK(seen.log_with("The guest restarts") == Lines{"[INFO] The guest restarts"});
  CHECK(seen.log_with("mounted in the guest") ==
        Lines(2, "[INFO] Filesystem #1: mounted in the guest at /mnt/s"));
}

TEST_CASE("a guest that panics is told of") {
  const auto seen = boot({}, "echo c >/proc/sysrq-trigger\n");
  CHECK(seen.status == 1);
  CHECK(seen.log_with("[ERROR]") ==
        Lines{"[ERROR] The guest's kernel panicked (its last words are on the console)"});
}

TEST_CASE("what a guest that powers off in time has written is on the disk") {
  const TemporaryFolder host;
  const auto image = host / "disk.img";
  { std::ofstream(image) << std::string(1 << 20, '\0'); }
  // The overlay is what is kept, so that is what has to have it.
  const auto guest = tiny_guest();
  const auto seen = boot({{"BASE_IMAGE", image},
                          {"KERNEL", guest + "/vmlinux"},
                          {"INITRD", guest + "/initrd.img"},
                          {"CMDLINE", "console=ttyS0 quiet panic=-1 rodata=off cryptomgr.notests"},
                          {"PERSIST", "1"},
                          {"DATA_DIR", host / "data"},
                          {"GUEST_PASSWORD", "x"}},
                         "printf 'kept by the disk' >/dev/vda\n");
  CHECK(seen.status == 0);
  const auto raw = host / "raw";
  const auto converted =
      vmr::capture({"/usr/bin/qemu-img", "convert", "-O", "raw", host / "data/vm.qcow2", raw});
  CHECK_MESSAGE(converted.ok, converted.errors);
  CHECK(read_file(raw).substr(0, 16) == "kept by the disk");
}
