// SPDX-License-Identifier: MIT
// What doctor says of a run, and the run: both, for settings and QEMU arguments of every kind.
#include "base/shell_words.hpp"
#include "host/capture.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

using namespace vmr::test;

namespace {

using Strings = std::vector<std::string>;

struct Case {
  Launcher::Variables settings;
  Strings words;  ///< behind --
  bool starts = true;
};

Launcher::Variables settings_of(const Case& tried) {
  return join({{"BASE_IMAGE", tiny_guest()},
               {"ACCEL", "tcg"},
               {"MEMORY", "256"},
               {"CPUS", "1"},
               {"STOP_TIMEOUT", "1"}},
              tried.settings);
}

Strings behind_dashes(std::string command, const Strings& words) {
  Strings arguments = {std::move(command), "--"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return arguments;
}

/// Whether `run -- -S` gets its machine, which then does nothing.
bool gets_machine(const Case& tried) {
  auto arguments = behind_dashes("run", tried.words);
  arguments.emplace_back("-S");
  Launcher launcher(settings_of(tried), arguments);
  const bool runs = launcher.wait_for_log("The machine runs");
  if (runs) launcher.signal(SIGTERM);
  launcher.finish();
  return runs;
}

/// A qcow2 image that says of itself that it is corrupt, which QEMU then opens to read only.
void make_corrupt(const std::string& path) {
  const auto make = "qemu-img create -q -f qcow2 " + vmr::shell_quote(path) + " 10M";
  REQUIRE(vmr::capture({"/bin/sh", "-c", make}).ok);
  auto image = read_file(path);
  image.at(79) = '\2';  // the incompatible feature "corrupt"
  write_text(path, image);
}

}  // namespace

TEST_CASE("doctor ends with 0 if and only if run gets its machine") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "s");
  make_corrupt(folder / "corrupt");
  write_text(folder / "empty", "");
  write_text(folder / "page", "<!DOCTYPE html><html></html>");
  write_text(folder / "raw", std::string(65536, '\0'));
  const std::string size = "size=256M";
  const auto backend = [&](const std::string& path) {
    return Strings{"-object", "memory-backend-file,id=m,share=on," + size + ",mem-path=" + path,
                   "-numa", "node,memdev=m"};
  };
  const std::vector<Case> cases = {
      {{}, {}},
      {{{"FILESYSTEM_SOURCE", folder / "s"}, {"FILESYSTEM_DRIVER", "9p"}}, {}},
      {{{"FILESYSTEM_SOURCE", folder / "no/such"}, {"FILESYSTEM_DRIVER", "9p"}}, {}, false},
      {{{"BASE_IMAGE", folder / "empty"}}, {}, false},
      {{{"BASE_IMAGE", folder / "page"}}, {}, false},
      {{{"KERNEL", folder / "page"}}, {}, false},
      {{{"TMPDIR", "/proc"}}, {}},
      {{{"HOTPLUG_SHARES", "0"}}, backend("/dev/shm")},
      {{{"HOTPLUG_SHARES", "0"}}, backend("/no/such/place"), false},
      {{{"EXTRA_ARGS", "-no-hpet # comment"}}, {}, false},
      {{{"EXTRA_ARGS", "$(id)"}}, {}, false},
      {{{"EXTRA_ARGS", "''"}}, {}, false},
      {{}, {"-device", "usb-host,vendorid=0x1234,productid=0x5678"}, false},
      {{}, {"-device", "qemu-xhci", "-device", "usb-host,vendorid=0x1234,productid=0x5678"}},
      {{}, {"-drive", "file=" + (folder / "raw") + ",if=virtio,format=raw"}},
      {{}, {"-drive", "file=" + (folder / "none") + ",if=virtio,format=raw"}, false},
      {{}, {"-drive", "file=" + (folder / "corrupt") + ",if=virtio,format=qcow2"}, false},
      {{}, {"-drive", "file=" + (folder / "corrupt") + ",if=virtio,format=qcow2,read-only=on"}},
      {{}, {"-chardev", "socket,id=c,path=" + (folder / "none")}, false},
      {{}, {"-chardev", "file,id=c,path=" + (folder / "log")}},
      {{}, {"-serial", "file:" + (folder / "none/log")}, false},
      {{}, {"-virtfs", "local,mount_tag=t,security_model=none,path=" + (folder / "none")}, false},
      {{}, {"-device", "vfio-pci,host=ff:1f.7"}, false},
      {{}, {"-object", "rng-random,id=r,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=r"}},
      {{}, {"-object", "rng-random,id=r,filename=/no/such"}, false},
      {{}, {"-device", "no-such-device"}, false},
      {{}, {"-set", "device.none.x=1"}, false},
      {{}, {"-fw_cfg", "name=opt/x/y,string=a/b"}},
      {{}, {"-chardev", "nonsense,id=c"}, false},
      {{}, {"-chardev", "socket,id=c"}, false},
      {{}, {"-chardev", "socket,id=c,server=on,wait=off,path=" + (folder / "socket")}},
      {{}, {"-mon", "chardev=nowhere"}, false},
      {{}, {"-chardev", "null,id=c", "-device", "isa-serial,chardev=c,nonsense=1"}, false},
      {{}, {"-netdev", "nonsense,id=n"}, false},
      {{}, {"-netdev", "user,id=n,hostfwd=nonsense"}, false},
      {{}, {"-netdev", "user,id=n,hostfwd=tcp:127.0.0.1:0-:22"}},
      {{}, {"-nic", "nonsense"}, false},
      {{}, {"-serial", "nonsense"}, false},
      {{}, {"-serial", "tcp:nonsense"}, false},
      {{}, {"-serial", "unix:" + (folder / "serial") + ",server=on,wait=off"}},
      {{}, {"-serial", "stdio", "-monitor", "stdio"}, false},
      {{}, {"-vnc", "nonsense"}, false},
      {{}, {"-vnc", "127.0.0.1:77"}},
      {{}, {"-display", "nonsense"}, false},
      {{}, {"-drive", "if=nonsense,format=raw,file=" + (folder / "raw")}, false},
      {{}, {"-drive", "if=none,format=nonsense,file=" + (folder / "raw")}, false},
      {{}, {"-drive", "if=none,format=raw,nonsense=1,file=" + (folder / "raw")}, false},
      {{}, {"-blockdev", "driver=nonsense,node-name=n"}, false},
      {{}, {"-blockdev", "driver=file,filename=" + (folder / "raw") + ",node-name=n"}},
      {{}, {"-fsdev", "nonsense,id=f"}, false},
      {{}, {"-audiodev", "nonsense,id=a"}, false},
      {{}, {"-tpmdev", "nonsense,id=t"}, false},
      {{}, {"-incoming", "nonsense"}, false},
      {{}, {"-object", "memory-backend-nonsense,id=m"}, false},
      {{}, {"-device", "vfio-nonsense"}, false},
      {{}, {"-readconfig", folder / "page"}, false},
      {{}, {"-usbdevice", "nonsense"}, false},
      {{}, {"-gdb", "nonsense"}, false},
  };
  for (const auto& tried : cases) {
    CAPTURE(vmr::shell_join(tried.words));
    std::string settings;
    for (const auto& [name, value] : tried.settings) settings += name + "=" + value + " ";
    CAPTURE(settings);
    const auto doctor = Launcher(settings_of(tried), behind_dashes("doctor", tried.words)).finish();
    CAPTURE(doctor.output);
    CHECK(gets_machine(tried) == tried.starts);
    CHECK((doctor.status == 0) == tried.starts);
  }
}
