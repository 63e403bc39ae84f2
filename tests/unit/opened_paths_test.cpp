// SPDX-License-Identifier: MIT
#include "plan/opened_paths.hpp"

#include "support/confined.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vmr::test {
namespace {

using List = std::vector<OpenedPath>;

bool names(const Strings& words, const std::string& text) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word.find(text) != word.npos; });
}

/// The words of `one` that `other` has not.
Strings words_only_in(const Strings& one, const Strings& other) {
  Strings words;
  for (const auto& word : one) {
    if (std::find(other.begin(), other.end(), word) == other.end()) words.push_back(word);
  }
  return words;
}

TEST_CASE("the guest's files and the sources of 9p shares are handed to QEMU") {
  auto host = open_host();
  host.files["/guest/disk.qcow2"].backing = "/guest/base, 'ü'/raw";
  host.files["/guest/disk.qcow2"].real_path = "/real/disk.qcow2";
  host.files["/guest/base, 'ü'/raw"] = regular_file();
  host.files["/nine p"] = folder();
  const auto plan = plan_of(
      {"FILESYSTEM_SOURCE=/share", "FILESYSTEM2_SOURCE=/nine p", "FILESYSTEM2_DRIVER=9p"}, host);
  const auto& process = plan.attempts.back().process;
  CHECK((process.opened ==
         List{{8, "/guest/vmlinuz", "/guest/vmlinuz", true},
              {9, "/guest/initrd", "/guest/initrd", true},
              {10, "/guest/disk.qcow2", "/real/disk.qcow2", false},
              {11, "/guest/base, 'ü'/raw", "/guest/base, 'ü'/raw", true},
              {12, "/run/vm-runner/vm/seed.iso", "/run/vm-runner/vm/seed.iso", true},
              {13, "/nine p", "/nine p", true}}));
  CHECK(words_only_in(process.opened_argv, process.argv) ==
        Strings{"/proc/self/fd/8", "/proc/self/fd/9",
                "if=none,id=disk,file.driver=file,file.filename=/proc/self/fd/10,format=qcow2,"
                "snapshot=on,backing.driver=raw,backing.file.driver=file,"
                "backing.file.filename=/proc/self/fd/11",
                "if=none,id=seed,file.driver=file,file.filename=/proc/self/fd/12,format=raw,"
                "readonly=on",
                "local,id=share2,path=/proc/self/fd/13,security_model=passthrough,"
                "multidevs=remap"});
  CHECK(process.opened_argv.size() == process.argv.size());
  // What a script starts finds its files by itself.
  CHECK_FALSE(names(process.argv, "/proc/"));
}

TEST_CASE("a persistent disk is handed over, and the image of a copy is not") {
  auto host = open_host();
  const auto told = [&](const std::string& base) {
    const auto plan =
        plan_of({"PERSIST=1", "DATA_DIR=/data", "GUEST_PASSWORD=x", "PERSIST_BASE=" + base}, host);
    Strings paths;
    for (const auto& opened : plan.attempts.back().process.opened) paths.push_back(opened.told);
    return paths;
  };
  CHECK(told("overlay") == Strings{"/guest/vmlinuz", "/guest/initrd", "/data/vm.qcow2",
                                   "/guest/disk.qcow2", "/run/vm-runner/vm/seed.iso"});
  CHECK_FALSE(names(told("copy"), "/guest/disk.qcow2"));
}

TEST_CASE("whoever wants QEMU as it is has it open everything itself") {
  const auto plan = plan_of({"QEMU_USER=launcher", "FILESYSTEM_SOURCE=/share"}, open_host());
  CHECK(plan.attempts.back().process.opened == List{});
  CHECK(plan.attempts.back().process.opened_argv == Strings{});
  CHECK(plan.shares.front().helper->opened == List{});
}

TEST_CASE("a source is opened by the path that it really has") {
  auto host = open_host();
  host.files["/share"].real_path = "/srv/real, share";
  const auto helper_of = [&](const std::string& sandbox) {
    return *plan_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=" + sandbox}, host)
                .shares.front()
                .helper;
  };
  const auto chroot = helper_of("chroot");
  CHECK((chroot.opened == List{{4, "/share", "/srv/real, share", false}}));
  CHECK(words_only_in(chroot.opened_argv, chroot.argv) == Strings{"/srv/real, share"});
  CHECK(chroot.mounted_at == "");
  const auto& files = chroot.confinement.files;
  const FileRule rule{"/srv/real, share", FileRule::Access::devices, false};
  CHECK(std::find(files.begin(), files.end(), rule) != files.end());

  // Who may mount puts it where nobody else can change what its name means.
  host.abilities = {true, true, true, false, true};
  const auto mounted = helper_of("namespace");
  CHECK(words_only_in(mounted.opened_argv, mounted.argv) == Strings{"/run/vm-runner/vm"});
  CHECK(mounted.mounted_at == "/run/vm-runner/vm");
}

TEST_CASE("an ordinary user's virtiofsd makes its namespace by itself") {
  const auto helper =
      *plan_of({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_SANDBOX=namespace"}, ordinary_user())
           .shares.front()
           .helper;
  CHECK(helper.mounted_at == "");
  CHECK(helper.opened_argv == Strings{});
}

TEST_CASE("what a program says of a descriptor is said of its path") {
  ProcessPlan process;
  process.opened = {{1, "/one", "/one"}, {12, "/a 100%, ü\n", "/real"}};
  CHECK(with_paths("open '/proc/self/fd/12': no; /proc/self/fd/1, /proc/self/fd/123", process) ==
        "open '/a 100%, ü\n': no; /one, /proc/self/fd/123");
  process.mounted_at = "/run/vm";
  CHECK(with_paths("/run/vm: Permission denied", process) == "/one: Permission denied");
  CHECK(with_paths("", ProcessPlan{}) == "");
}

}  // namespace
}  // namespace vmr::test
