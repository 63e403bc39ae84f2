// SPDX-License-Identifier: MIT
#include "plan/trial_args.hpp"

#include "base/shell_words.hpp"
#include "plan/qemu_plan.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

namespace vmr::test {
namespace {

/// What is made of the user's own words beside a disk "disk" and a bus "serial" of ours.
TrialArguments trial_of(const Strings& extra, const Strings& behind = {}) {
  QemuPlan plan;
  plan.groups = {{"disk", {"-drive", "id=disk,file=/d", "-device", "virtio-blk-pci,drive=disk"}},
                 {"ports", {"-device", "virtio-serial-pci,id=serial"}},
                 {std::string(extra_group), extra},
                 {std::string(command_line_group), behind}};
  auto trial = trial_arguments(plan);
  CHECK(Argv{trial.ours} == Argv{{"-device", "virtio-serial-pci,id=serial"}});
  return trial;
}

TEST_CASE("own arguments that QEMU is tried with") {
  const std::vector<std::string> rows = {
      "-frob",
      "-frob --frob value",
      "-",
      "-version",
      "-h",
      "-device help",
      "-device nonsense",
      "-device '{\"driver\":\"nonsense\"}'",
      "-device vmcoreinfo --snapshot -no-reboot",
      "-device virtio-blk-pci,drive=nowhere",
      "-device virtserialport,bus=serial.0,name=x",
      "-cpu max -smp 2 -m 1G -machine q35 -M dumpdtb=",
      "-kernel /k -append -x",
      "-netdev user,id=n -device virtio-net-pci,netdev=n",
      "-netdev help -chardev help -d help -trace ?",
      "-object memory-backend-ram,id=m,size=1M -numa node,memdev=m",
      "-object nonsense,id=x",
      "-object memory-backend-ram,id=m,size=1M,prealloc=off",
      "-overcommit mem-lock=off",
      "-m",
      "-drive",
      "-global isa-debugcon.iobase=1",
  };
  for (const auto& row : rows) {
    const Strings words = shell_split(row).value();
    CHECK(trial_of(words) == TrialArguments{{"-device", "virtio-serial-pci,id=serial"}, words, {}});
  }
}

TEST_CASE("own arguments that touch something are left out, each as it was written") {
  const std::vector<Strings> rows = {
      {"disk.img"},
      {""},
      {"-drive file=/x"},
      {"--blockdev driver=file,node-name=b,filename=/x", "-device virtio-blk-pci,drive=b"},
      {"-hda -frob"},
      {"-cdrom /x"},
      {"-chardev socket,id=c,path=/x", "-mon chardev=c", "-device isa-serial,chardev=c"},
      {"-device '{\"driver\":\"isa-serial\",\"chardev\":\"c\"}'", "-chardev null,id=c"},
      {"-serial stdio"},
      {"-monitor stdio"},
      {"-D help"},
      {"-d int"},
      {"-daemonize"},
      {"-netdev tap,id=n", "-device virtio-net-pci,netdev=n"},
      {"-netdev user,id=n,hostfwd=tcp::22-:22"},
      {"-netdev user,id=n,guestfwd=tcp:10.0.2.1:1-cmd:x"},
      {"-netdev user,id=n,smb=/x"},
      {"-netdev user,id=n,tftp=/x"},
      {"-netdev '{\"type\":\"user\",\"id\":\"n\"}'"},
      {"-nic user"},
      {"-fsdev local,id=f,path=/x", "-device virtio-9p-pci,fsdev=f,mount_tag=x"},
      {"-vnc :0"},
      {"-display gtk"},
      {"-nographic"},
      {"-s"},
      {"-preconfig"},
      {"-machine dumpdtb=/x"},
      {"-icount rr=record,rrfile=/x"},
      {"-overcommit mem-lock=on"},
      {"-object memory-backend-file,id=m,mem-path=/x,size=1M", "-numa node,memdev=m"},
      {"-object memory-backend-ram,id=m,size=1M,prealloc=on"},
      {"-object tls-creds-x509,id=t,dir=/x"},
      {"-device vfio-pci,host=01:00.0"},
      {"-device virtio-blk-pci,drive=disk"},
      {"-readconfig /x", "-device vmcoreinfo"},
      {"-set device.disk.serial=x", "-frob"},
  };
  for (const auto& row : rows) {
    Strings words;
    Strings untried;
    for (const auto& option : row) {
      // An empty word is a disk image too.
      const auto own = option.empty() ? Strings{""} : shell_split(option).value();
      words.insert(words.end(), own.begin(), own.end());
      untried.push_back(shell_join(own));
    }
    CHECK(Argv{trial_of(words).untried} == Argv{untried});
    CHECK(Argv{trial_of({}, words).users} == Argv{});
  }
}

TEST_CASE("what touches something is tried where it cannot, in ever shorter lists") {
  struct Row {
    std::string words;
    Strings lists;
    bool guards_all = true;
  };
  const std::vector<Row> rows = {
      {"-S", {}, false},
      {"-serial 'a, b'", {"-serial 'a, b'"}},
      {"-S -mem-prealloc -vnc :0", {"-S -vnc :0"}, false},
      {"-mem-prealloc", {}, false},
      {"-readconfig '/a b' -S", {"-readconfig '/a b' -version", "-S"}, false},
      {"-set device.d.x=1 -device e,id=d", {"-set device.d.x=1 -device e,id=d"}},
      // Ours are not there.
      {"-set device.disk.x=1 -S -set drive.disk.y=2", {"-S"}, false},
      {"-device e,drive=disk -serial chardev:disk -vnc :0", {"-vnc :0"}, false},
      {"-chardev pty,id=c -serial chardev:c -mon chardev=c",
       {"-chardev pty,id=c -serial chardev:c -mon chardev=c"}},
      {"-S -drive id=a,file=/a -device d,drive=a /b -vnc :0",
       {"-S -drive id=a,file=/a -device d,drive=a /b -vnc :0", "-S -vnc :0",
        "-S -drive id=a,file=/a", "-S /b"}},
      {"-object memory-backend-ram,id=m,prealloc=on -numa node,memdev=m -vnc :0",
       {"-vnc :0"},
       false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.words);
    const auto trial = trial_of(shell_split(row.words).value());
    Strings lists;
    for (const auto& list : trial.guarded) lists.push_back(shell_join(list));
    CHECK(Argv{lists} == Argv{row.lists});
    CHECK(trial.guards_all == row.guards_all);
  }
}

TEST_CASE("the rest is tried where it stood, from EXTRA_ARGS and from behind --") {
  const auto trial = trial_of({"-S", "disk.img", "-device", "a", "-hda"}, {"-frob", "-S"});
  CHECK(Argv{trial.users} == Argv{{"-S", "-device", "a", "-S"}});
  CHECK(Argv{trial.untried} == Argv{{"disk.img", "-hda -frob"}});
}

TEST_CASE("a device whose name is any text stays one word") {
  for (const auto& name : hostile_names()) {
    const Strings words = {"-device", fmt::format("x{}", name), "-frob"};
    CHECK(Argv{trial_of(words).users} == Argv{words});
  }
}

TEST_CASE("of our own arguments the machine, its memory and its plain devices are tried") {
  const auto spec = spec_of({"FILESYSTEM_SOURCE=/share", "ACCEL=tcg", "SSH_PORT=0"}, docker_host());
  const auto plan = make_plan(spec, docker_host());
  const auto trial = trial_arguments(plan.attempts.front());
  CHECK(trial.users.empty());
  CHECK(trial.untried.empty());
  for (const auto& word : trial.ours) {
    for (const auto* outside : {"-drive", "-blockdev", "-chardev", "-fsdev", "hostfwd",
                                "chardev=", "drive=", "-mon", "-qmp", "-display"}) {
      CHECK(word.find(outside) == std::string::npos);
    }
  }
  const auto has = [&](const std::string& word) {
    return std::find(trial.ours.begin(), trial.ours.end(), word) != trial.ours.end();
  };
  CHECK(has("-kernel"));
  CHECK(has("virtio-serial-pci,id=serial,ioeventfd=off"));
  CHECK(has("virtio-rng-pci"));
}

}  // namespace
}  // namespace vmr::test
