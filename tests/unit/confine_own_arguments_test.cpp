// SPDX-License-Identifier: MIT
// What the user's own arguments and disks leave of QEMU's confinement.
#include "support/confined.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

TEST_CASE("without rules for files QEMU has no capability either") {
  auto host = open_host();
  host.files["/own.qcow2"] = host.files["/guest/disk.qcow2"];
  host.files["/own.qcow2"].opens_unknown = true;
  // Which alone would cost a capability.
  host.files["/guest/disk.qcow2"].mode = 0600;
  Strings settings = {"EXTRA_ARGS=-drive file=/own.qcow2,readonly=on,format=qcow2",
                      "ALLOW_UNKNOWN_IMAGES=1"};
  CHECK(tcg_confinement(settings, host).files.empty());
  CHECK(who(settings, host) == own);
  settings.insert(settings.end(), {"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=9p",
                                   "FILESYSTEM_ACCESSMODE=mapped"});
  CHECK(who(settings, host) == own);
  settings.emplace_back("SSH_PORT=22");
  host.free_ssh_port = 22;
  CHECK(who(settings, host) == std::string(own) + " NET_BIND_SERVICE");
}

TEST_CASE("an own disk called raw gets nothing by what it begins with") {
  auto host = open_host();
  host.files["/own.raw"] = host.files["/guest/disk.qcow2"];
  host.files["/own.raw"].contents = {FileContents::Kind::qcow2};
  host.files["/own.raw"].backing = "/etc/shadow";
  const Strings settings = {"EXTRA_ARGS=-drive file=/own.raw,readonly=on,format=raw"};
  CHECK(who(settings, host) == own);
  const auto confinement = tcg_confinement(settings, host);
  CHECK(may(confinement, "/own.raw", FileRule::Access::read));
  CHECK_FALSE(may(confinement, "/etc/shadow", FileRule::Access::read));
}

TEST_CASE("arguments of the user's own that reach outside take nothing away unless asked to") {
  const auto host = open_host();
  CHECK(who({"EXTRA_ARGS=-rtc base=utc"}, host) == own);
  CHECK(who({"EXTRA_ARGS=-blockdev driver=file,node-name=x,filename=x.img"}, host) ==
        "launcher: everything");
  for (const std::string words :
       {"-bios /x/bios.bin", "-bios bios.bin", "-acpitable file=my.rom", "-L .",
        "-device virtio-net-pci,romfile=my.rom", "-object secret,id=s,file=pw", "-smbios file=x",
        "-device loader,file=x"}) {
    CHECK(who({"EXTRA_ARGS=" + words}, host) == "launcher: everything");
  }
  CHECK(who({"EXTRA_ARGS=-netdev tap,id=t"}, host) == "launcher: everything");
  const auto asked = tcg_confinement(
      {"EXTRA_ARGS=-blockdev driver=file,node-name=x,filename=x.img", "QEMU_USER=1000:100"}, host);
  CHECK(asked.user == Owner{1000, 100});
  CHECK(asked.no_new_privileges);
  CHECK(asked.files.empty());
}

TEST_CASE("own arguments that open nothing outside leave QEMU confined") {
  const auto host = open_host();
  for (const auto* extra :
       {"-fw_cfg name=opt/org.example/x,string=a/b", "-smbios type=1,serial=a/b,product=/x",
        "-append root=/dev/vda", "-device virtio-balloon-pci", "-uuid a/b",
        "-device virtio-blk-pci,drive=x,serial=a/b", "-rtc base=2021-09-20",
        "-object secret,id=s,data=a/b", "-display none -vnc none -audiodev none,id=a",
        "-serial null -parallel none -monitor none -net nic -nic none",
        "-chardev null,id=c -device isa-serial,chardev=c", "-nic user,model=e1000 -net user"}) {
    INFO(extra);
    CHECK(who({std::string("EXTRA_ARGS=") + extra}, host) == own);
  }
  for (const auto* extra :
       {"-fw_cfg name=opt/x,file=x", "-smbios file=x", "-smbios type=11,path=x", "-bios x",
        "-device virtio-net-pci,romfile=x", "-frob a/b", "-chardev file,id=c,path=x",
        "-object rng-random,id=r,filename=x", "-drive file=nbd://host/x",
        "-chardev null,id=c,logfile=x", "-nic user,hostfwd=tcp::1-:1", "-net socket,listen=:1",
        "-acpitable data=x", "-drive driver=vvfat,dir=/x", "-drive file.driver=nbd,file.path=/x",
        "-drive file.driver=file,file.filename=/x,backing.file.filename=/y",
        "-blockdev driver=file,node-name=b,filename=/x"}) {
    INFO(extra);
    CHECK(who({std::string("EXTRA_ARGS=") + extra}, host) == "launcher: everything");
  }
}

TEST_CASE("a plain disk of the user's own is known, with what is behind it") {
  auto host = open_host();
  host.working_folder = "/here";
  for (const auto* path : {"/srv/d.qcow2", "/srv/base.img", "/here/cd.iso"}) {
    host.files[path] = reachable_file(0666);
  }
  host.files["/srv/d.qcow2"].backing = "/srv/base.img";
  const Strings settings = {
      "EXTRA_ARGS=-drive file=/srv/d.qcow2,if=virtio,format=qcow2,cache=none -cdrom cd.iso"};
  const auto confinement = tcg_confinement(settings, host);
  CHECK(who(settings, host) == own);
  CHECK(may(confinement, "/srv/d.qcow2", FileRule::Access::write));
  CHECK(may(confinement, "/srv/base.img", FileRule::Access::read));
  CHECK(may(confinement, "/here/cd.iso", FileRule::Access::read));
  CHECK_FALSE(may(confinement, "/here/cd.iso", FileRule::Access::write));
  host.files["/srv/d.qcow2"].mode = 0600;
  CHECK(who(settings, host) == std::string(own) + " DAC_OVERRIDE");
}

TEST_CASE("a disk as import writes it is known too, whatever its name") {
  auto host = open_host();
  for (const auto* path : {"/srv/nbd:a b.qcow2", "/dev/data"}) {
    host.files[path] = reachable_file(0666);
  }
  const Strings settings = {
      "EXTRA_ARGS=-drive 'if=none,id=b,file.driver=file,file.filename=/srv/nbd:a b.qcow2' "
      "-drive if=none,id=c,file.driver=host_device,file.filename=/dev/data,format=raw,readonly=on"};
  const auto confinement = tcg_confinement(settings, host);
  CHECK(who(settings, host) == own);
  CHECK(may(confinement, "/srv/nbd:a b.qcow2", FileRule::Access::write));
  CHECK(may(confinement, "/dev/data", FileRule::Access::read));
  CHECK_FALSE(may(confinement, "/dev/data", FileRule::Access::write));
}

}  // namespace
}  // namespace vmr::test
