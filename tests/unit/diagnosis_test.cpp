// SPDX-License-Identifier: MIT
#include "run/diagnosis.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <vector>

namespace vmr {
namespace {

std::string cause_of(const std::vector<std::string>& last_lines) {
  const auto diagnosis = diagnose({true, 0, "exit status 1", last_lines});
  return diagnosis ? diagnosis->cause : std::string();
}

TEST_CASE("the last words of QEMU and virtiofsd name the likely cause") {
  struct Row {
    std::string words;
    std::string cause;
  };
  const std::vector<Row> rows = {
      {"unshare(CLONE_FS) failed with EPERM. If running in a container please check",
       "this container's seccomp profile forbids unshare, which this virtiofsd needs"},
      {"[ERROR virtiofsd] Error entering sandbox: CleanMount(Os)",
       "this container does not let virtiofsd make its sandbox"},
      {"virtiofsd: open: Too many open files", "the limit of open files is reached"},
      {"qemu-system-x86_64: cannot set up guest memory 'memory': Cannot allocate memory",
       "there is not enough memory for the guest"},
      {"qemu-system-x86_64: -drive x: Could not write: No space left on device",
       "a disk of the host is full"},
      {"qemu-system-x86_64: -netdev user: Could not set up host forwarding rule 'tcp::22-:22'",
       "the port is in use"},
      {R"(qemu-system-x86_64: -drive x: Failed to get "write" lock)",
       "another process, probably another VM, uses the disk image"},
      {"Could not access KVM kernel module: Permission denied", "KVM refuses"},
      {"qemu-system-x86_64: failed to initialize kvm: Device or resource busy", "KVM refuses"},
      {"qemu-system-x86_64: -kernel /k: Permission denied",
       "this user may not open a file that it needs"},
      {"qemu-system-x86_64: -bogus: invalid option", ""},
      {"%s%n", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.words);
    CHECK(cause_of({"first line", row.words, "last line"}) == row.cause);
  }
  CHECK(cause_of({}).empty());
}

TEST_CASE("QEMU's own words blame KVM and a value of the user's does not") {
  const auto blames_kvm = [](const std::string& line) {
    return is_fault_of_kvm({true, 0, "exit status 1", {"first line", line, "last line"}});
  };
  for (const std::string line :
       {"Could not access KVM kernel module: Permission denied",
        "qemu-system-x86_64: failed to initialize kvm: Device or resource busy",
        "qemu-system-x86_64: -accel kvm: failed to initialize kvm: Permission denied",
        "qemu-system-x86_64: -accel kvm: invalid accelerator kvm",
        "qemu-kvm: ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy",
        "ioctl(KVM_CREATE_VM) failed: Interrupted system call",
        "qemu-system-x86_64: Could not open /dev/kvm: No such file or directory",
        "qemu-system-x86_64: kvm_init_vcpu: kvm_get_vcpu failed (0): Invalid argument",
        "kvm_init_vcpu failed: Cannot allocate memory",
        "KVM: entry failed, hardware error 0x80000021",
        "error: kvm run failed Function not implemented", "kvm version too old",
        "qemu-system-x86_64: ../target/i386/kvm/kvm.c:3213: kvm_buf_set_msrs: Assertion `ret == "
        "cpu->kvm_msr_buf->nmsrs' failed."}) {
    CAPTURE(line);
    CHECK(blames_kvm(line));
  }
  for (const std::string line :
       {"qemu-system-x86_64: -blockdev driver=file,filename=/srv/kvm/disk.qcow2: Could not open "
        "'/srv/kvm/disk.qcow2': No such file or directory",
        "qemu-system-x86_64: -blockdev driver=file,filename=/srv/my kvm: ioctl(KVM_X)/d: no",
        "qemu-system-x86_64: Could not open '/srv/my kvm disks/disk.qcow2': Permission denied",
        "qemu-system-x86_64: could not load kernel '/kvm/vmlinuz'",
        "qemu: could not load kernel /srv/kvm /vmlinuz: no such file",
        "qemu-system-x86_64: -netdev tap,ifname=kvm: could not configure tap kvm: Not permitted",
        "/opt/kvm/qemu: -name guest=kvm: no", "qemu-kvm: -bogus: invalid option",
        "kvm: -drive file=/x: no",
        "qemu-system-x86_64: ../block.c:12: bdrv_open: Assertion `kvm' failed.",
        "qemu-system-x86_64: warning: KVM does not support this clock",
        "qemu-system-x86_64: the machine kvmware-1 is unknown", "qemu-system-x86_64: nokvm", ""}) {
    CAPTURE(line);
    CHECK_FALSE(blames_kvm(line));
  }
}

TEST_CASE("a kill without a word may be for want of memory") {
  CHECK(diagnose({true, SIGKILL, "signal 9 (Killed)", {}, true}) ==
        Diagnosis{"the kernel killed it for want of memory",
                  "lower MEMORY, or give the container or host more (docker run --memory)"});
  CHECK(diagnose({true, SIGKILL, "signal 9 (Killed)", {}}) ==
        Diagnosis{"somebody killed it: a person, or the kernel for want of memory",
                  "look at the host's kernel log (dmesg)"});
  CHECK(diagnose({true, SIGSEGV, "signal 11 (Segmentation fault)", {}}) == std::nullopt);
  CHECK(diagnose({false, 0, "exit status 0", {}}) == std::nullopt);
}

}  // namespace
}  // namespace vmr
