// SPDX-License-Identifier: MIT
#include "spec/argument_files.hpp"

#include "base/shell_words.hpp"
#include "config/argument_files.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace vmr::test {
namespace {

/// "NEED PATH" of each file, with one letter for the need.
Strings found_in(const Strings& words) {
  Strings found;
  for (const auto& file : find_argument_files(words)) {
    const std::string letters = "fqdnsxw";
    found.push_back(letters.substr(static_cast<std::size_t>(file.need), 1) + " " + file.path);
  }
  return found;
}

TEST_CASE("the files that QEMU's arguments name are found with what they need") {
  const std::vector<std::pair<Strings, Strings>> rows = {
      {{"-drive", "file=/a,,b c,format=raw"}, {"f /a,b c"}},
      {{"-hda", "x.img", "-cdrom", "/i.iso"}, {"q x.img", "f /i.iso"}},
      {{"-drive", "file=/x,format=qcow2,read-only=on"}, {"f /x"}},
      {{"-drive", "file=nbd://h/x"}, {}},
      {{"-drive", "file=json:{}"}, {}},
      {{"-blockdev", R"({"driver":"file","filename":"/x","node-name":"n"})"}, {"f /x"}},
      {{"-chardev", "file,id=c,path=/log"}, {"n /log"}},
      {{"-chardev", "socket,id=c,path=/s"}, {"s /s"}},
      {{"-chardev", "socket,id=c,path=/s,server=on,wait=off"}, {"n /s"}},
      {{"-chardev", "socket,id=c,path=/s,server"}, {"n /s"}},
      {{"-chardev", "socket,id=c,host=h,port=1"}, {}},
      {{"-serial", "file:/ü"}, {"n /ü"}},
      {{"-serial", "unix:/s,server=on"}, {"n /s"}},
      {{"-monitor", "unix:/s"}, {"s /s"}},
      {{"-serial", "/dev/ttyS7"}, {"x /dev/ttyS7"}},
      {{"-serial", "pty", "-serial", "stdio", "-serial", "tcp:h:1"}, {}},
      {{"-netdev", "tap,id=t"}, {"x /dev/net/tun"}},
      {{"-netdev", "tap,id=t,fd=3"}, {}},
      {{"-netdev", "user,id=u"}, {}},
      {{"-device", "vfio-pci,host=01:00.0"}, {"x /sys/bus/pci/devices/0000:01:00.0/iommu_group"}},
      {{"-device", "vfio-pci,host=0001:01:00.0"},
       {"x /sys/bus/pci/devices/0001:01:00.0/iommu_group"}},
      {{"-object", "memory-backend-file,id=m,size=1G,mem-path=/dev/shm/m"}, {"n /dev/shm/m"}},
      {{"-object", "rng-random,id=r,filename=/dev/urandom"}, {"x /dev/urandom"}},
      {{"-object", "secret,id=s,data=x"}, {}},
      {{"-fw_cfg", "name=opt/x,file=f"}, {"f f"}},
      {{"-fw_cfg", "name=opt/x,string=/etc/y"}, {}},
      {{"-virtfs", "local,path=/p,mount_tag=t,security_model=none"}, {"d /p"}},
      {{"-pidfile", "p", "-D", "/l"}, {"n p", "n /l"}},
      {{"-append", "root=/dev/vda", "-m", "1G"}, {}},
      {{"-no-hpet", "#", "comment"}, {"w #", "w comment"}},
      {{"$(id)"}, {"w $(id)"}},
      {{""}, {"w "}},
      {{"/disk.img"}, {"w /disk.img"}},
      {{"nbd://h/x"}, {}},
  };
  for (const auto& [words, wanted] : rows) {
    CAPTURE(shell_join(words));
    CHECK(Argv{found_in(words)} == Argv{wanted});
  }
}

TEST_CASE("what QEMU's arguments name and is not there is refused before the start") {
  Config config;
  config.extra_args.value = {"-drive", "file=a 'b',format=raw", "#", ""};
  config.extra_args.origin = {Source::environment, "EXTRA_ARGS", ""};
  config.qemu_args = {"-serial",  "file:/no/log",
                      "-chardev", "socket,id=c,path=/s",
                      "-virtfs",  "local,path=/file,mount_tag=t"};
  auto host = docker_host();
  host.files = {{"/work/a 'b'", {}}, {"/work/#", {}}, {"/no/log", {}}, {"/no", {}}, {"/s", {}}};
  host.files["/file"].kind = FileFacts::Kind::regular;
  const auto origin = describe(config.extra_args.origin);
  const std::string correct = "correct the path, or make what it names before the start";
  const std::string stray =
      "take it out, or write the option that it belongs to before it; no shell reads this, so '#', "
      "'$' and '*' are plain characters";
  const std::string behind = "behind -- (command line)";
  CHECK(
      Verdict{find_missing_argument_files(config, host), {}} ==
      Verdict{{{"EXTRA_ARGS: '-drive file=a 'b',format=raw': there is no file /work/a 'b'", origin,
                correct},
               {"EXTRA_ARGS: '#' is no option, and QEMU would take it for a disk image: there is "
                "no file /work/#",
                origin, stray},
               {"EXTRA_ARGS: '' is no option, and QEMU would take it for a disk image: it is empty",
                origin, stray},
               {"QEMU arguments: '-serial file:/no/log': there is no folder /no", behind, correct},
               {"QEMU arguments: '-chardev socket,id=c,path=/s': nothing listens at /s", behind,
                correct},
               {"QEMU arguments: '-virtfs local,path=/file,mount_tag=t': /file is no folder",
                behind, correct}},
              {}});
  host.files = {{"/disk", {}}};
  host.files["/disk"].kind = FileFacts::Kind::regular;
  host.files["/disk"].contents = {FileContents::Kind::broken_qcow2, "its header says so"};
  config.extra_args.value = {};
  config.qemu_args = {"-drive", "file=/disk,format=qcow2"};
  CHECK(Verdict{find_missing_argument_files(config, host), {}} ==
        Verdict{{{"QEMU arguments: '-drive file=/disk,format=qcow2': /disk is a qcow2 image that "
                  "cannot be used: its header says so",
                  behind, correct}},
                {}});
  host.files.clear();  // nobody has looked
  config.extra_args.value = {"-drive", "file=x", "#"};
  CHECK(find_missing_argument_files(config, host).empty());
}

}  // namespace
}  // namespace vmr::test
