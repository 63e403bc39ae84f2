// SPDX-License-Identifier: MIT
#include "config/absolute_arguments.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <utility>

namespace vmr {
namespace {

using Strings = std::vector<std::string>;

Strings absolute(const Strings& words, const std::string& folder = "/w") {
  return make_absolute(words, folder, [](const std::string& path) { return path == "/w/here.bin"; })
      .words;
}

Strings unread(const Strings& words) {
  return make_absolute(words, "/w", [](const std::string&) { return false; }).unread;
}

TEST_CASE("relative paths of QEMU's arguments start at the user's folder") {
  const std::vector<std::pair<Strings, Strings>> rows = {
      {{"x.img"}, {"/w/x.img"}},
      {{"-hda", "x,y.img", "--cdrom", "../i.iso"},
       {"-hda", "/w/x,y.img", "--cdrom", "/w/../i.iso"}},
      {{"-drive", "file=a,,b c,format=raw"}, {"-drive", "file=/w/a,,b c,format=raw"}},
      {{"-drive", "format=raw,file=./a"}, {"-drive", "format=raw,file=/w/./a"}},
      {{"-drive", "file=file:x"}, {"-drive", "file=file:/w/x"}},
      {{"-drive", "file=fat:rw:d"}, {"-drive", "file=fat:rw:/w/d"}},
      {{"-drive", "driver=qcow2,file.driver=file,file.filename=é"},
       {"-drive", "driver=qcow2,file.driver=file,file.filename=/w/é"}},
      {{"-drive", R"(file=json:{"driver":"raw",,"file":{"driver":"file",,"filename":"x"}})"},
       {"-drive", R"(file=json:{"driver":"raw",,"file":{"driver":"file",,"filename":"/w/x"}})"}},
      {{"-blockdev", "driver=raw,node-name=n,file=other"},
       {"-blockdev", "driver=raw,node-name=n,file=other"}},
      {{"-blockdev", R"({"driver":"raw","file":{"driver":"file","filename":"x"}})"},
       {"-blockdev", R"({"driver":"raw","file":{"driver":"file","filename":"/w/x"}})"}},
      {{"-blockdev", "{'driver':'file', 'filename' : 'x', 'node-name':'n'}"},
       {"-blockdev", "{'driver':'file', 'filename' : '/w/x', 'node-name':'n'}"}},
      {{"-chardev", "file,id=c,path=log,logfile=l2"},
       {"-chardev", "file,id=c,path=/w/log,logfile=/w/l2"}},
      {{"-chardev", "socket,id=c,path=s,server=on"},
       {"-chardev", "socket,id=c,path=/w/s,server=on"}},
      {{"-serial", "file:l", "-monitor", "mon:unix:s,server"},
       {"-serial", "file:/w/l", "-monitor", "mon:unix:/w/s,server"}},
      {{"-gdb", "unix:g", "-vnc", "unix:v"}, {"-gdb", "unix:/w/g", "-vnc", "unix:/w/v"}},
      {{"-fsdev", "local,id=f,path=d,security_model=none"},
       {"-fsdev", "local,id=f,path=/w/d,security_model=none"}},
      {{"-netdev", "user,id=u,tftp=t,bootfile=pxe.0"},
       {"-netdev", "user,id=u,tftp=/w/t,bootfile=pxe.0"}},
      {{"-netdev", "tap,id=t,script=up,downscript=no"},
       {"-netdev", "tap,id=t,script=/w/up,downscript=no"}},
      {{"-netdev", "stream,id=s,addr.type=unix,addr.path=p"},
       {"-netdev", "stream,id=s,addr.type=unix,addr.path=/w/p"}},
      {{"-object", "memory-backend-file,id=m,size=1G,mem-path=m"},
       {"-object", "memory-backend-file,id=m,size=1G,mem-path=/w/m"}},
      {{"-object", "secret,id=s,data=x"}, {"-object", "secret,id=s,data=x"}},
      {{"-object", R"({"qom-type":"secret","id":"s","file":"k"})"},
       {"-object", R"({"qom-type":"secret","id":"s","file":"/w/k"})"}},
      {{"-machine", "pc,kernel=k", "-M", "firmware=here.bin"},
       {"-machine", "pc,kernel=/w/k", "-M", "firmware=/w/here.bin"}},
      {{"-acpitable", "sig=ABCD,file=a:/b:c"}, {"-acpitable", "sig=ABCD,file=/w/a:/b:/w/c"}},
      {{"-fw_cfg", "name=opt/x,file=f", "-fw_cfg", "opt/y,string=a/b"},
       {"-fw_cfg", "name=opt/x,file=/w/f", "-fw_cfg", "opt/y,string=a/b"}},
      {{"-smbios", "type=11,path=p"}, {"-smbios", "type=11,path=/w/p"}},
      {{"-set", "drive.d.file=x,y"}, {"-set", "drive.d.file=/w/x,y"}},
      {{"-D", "l", "-pidfile", "p", "-L", "data", "-kernel", "k", "-initrd", "i"},
       {"-D", "/w/l", "-pidfile", "/w/p", "-L", "/w/data", "-kernel", "/w/k", "-initrd", "/w/i"}},
      {{"-trace", "e*,events=ev,file=f"}, {"-trace", "e*,events=/w/ev,file=/w/f"}},
      {{"-plugin", "./p.so"}, {"-plugin", "/w/./p.so"}},
      {{"-readconfig", "c"}, {"-readconfig", "/w/c"}},
  };
  for (const auto& [words, expected] : rows) CHECK(absolute(words) == expected);
}

TEST_CASE("what is no relative path stays as it was written") {
  const std::vector<Strings> rows = {
      {"-hda", "/x"},
      {"-hda", "nbd://h/x"},
      {"-drive", "file=/a,,b"},
      {"-drive", "file=nbd:h:10809"},
      {"-drive", "file="},
      {"-drive", "if=none,driver=ssh,path=x,server.host=h"},
      {"-blockdev", R"({"driver":"raw","file":{"driver":"ssh","path":"x"}})"},
      {"-blockdev", R"({"driver":"file","filename":"\/x"})"},
      {"-blockdev", R"({"driver":"file","filename":"\u002fx"})"},
      {"-chardev", "socket,id=c,path=name,abstract=on"},
      {"-serial", "pty", "-serial", "stdio", "-serial", "tcp:h:1", "-serial", "chardev:c"},
      {"-L", "help", "-writeconfig", "-"},
      {"-append", "root=path=x file=y", "-name", "path=x"},
      {"-bios", "seabios.bin", "-device", "virtio-net-pci,romfile=efi.rom", "-k", "de"},
      {"-device", "virtio-net-pci,romfile="},
      {"-m", "1G", "-nodefaults"},
  };
  for (const auto& words : rows) CHECK(absolute(words) == words);
}

TEST_CASE("a name among QEMU's data is a path where the user's folder has it") {
  CHECK(absolute({"-bios", "here.bin", "-option-rom", "here.bin,bootindex=1"}) ==
        Strings{"-bios", "/w/here.bin", "-option-rom", "/w/here.bin,bootindex=1"});
  CHECK(absolute({"-device", "e1000,romfile=here.bin"}) ==
        Strings{"-device", "e1000,romfile=/w/here.bin"});
}

TEST_CASE("a user's folder of any name is quoted as the option reads it") {
  const std::string folder = "/a,b \"c\"\n%d\\é";
  CHECK(absolute({"-hda", "x", "-drive", "file=x", "-serial", "unix:x", "-serial", "file:x"},
                 folder) == Strings{"-hda", folder + "/x", "-drive", "file=/a,,b \"c\"\n%d\\é/x",
                                    "-serial", "unix:/a,,b \"c\"\n%d\\é/x", "-serial",
                                    "file:" + folder + "/x"});
  CHECK(absolute({"-blockdev", R"({"driver":"file","filename":"x"})"}, folder).back() ==
        R"({"driver":"file","filename":"/a,b \"c\"\u000a%d\\é/x"})");
  CHECK(absolute({"x"}, "/") == Strings{"/x"});
}

TEST_CASE("options that may name files elsewhere are told") {
  CHECK(unread({"-readconfig", "/c"}) == Strings{"-readconfig"});
  CHECK(unread({"-incoming", "exec:cat x"}) == Strings{"-incoming"});
  CHECK(unread({"-netdev", "bridge,id=b,helper=./h"}) == Strings{"-netdev"});
  CHECK(unread({"-netdev", "user,id=u,guestfwd=tcp:10.0.2.1:1-cmd:x"}) == Strings{"-netdev"});
  CHECK(unread({"-drive", "file=blkdebug:c:x"}) == Strings{"-drive"});
  CHECK(unread({"-plugin", "/p.so,out=x"}) == Strings{"-plugin"});
  CHECK(unread({"-option-of-tomorrow", "x"}) == Strings{"-option-of-tomorrow"});
  CHECK(unread({"-hda", "x", "-serial", "unix:s", "-netdev", "bridge,id=b,helper=/h", "y",
                "-nographic"}) == Strings{});
}

}  // namespace
}  // namespace vmr
