// SPDX-License-Identifier: MIT
// A trial of QEMU that touches nothing, with the real QEMU.
#include "host/guarded_trial.hpp"

#include "host/programs.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;
using End = vmr::GuardedTrial::End;

vmr::GuardedTrial tried(const Words& words) {
  Words all = {"-machine", "q35", "-accel", "tcg"};
  all.insert(all.end(), words.begin(), words.end());
  return vmr::try_guarded(vmr::find_in_path("qemu-system-x86_64"), all);
}

}  // namespace

TEST_CASE("guarded trial: what QEMU takes, refuses, and would change") {
  const TemporaryFolder folder;
  const auto disk = folder / "disk";
  write_text(disk, std::string(65536, 'x'));
  const auto made = [&](const std::string& before, const std::string& behind = "") {
    return before + (folder / "made") + behind;
  };
  const std::vector<std::pair<Words, End>> rows = {
      {{}, End::started},
      {{"-chardev", made("socket,id=c,path=", ",server=on,wait=off")}, End::started},
      {{"-vnc", "127.0.0.1:77"}, End::started},
      {{"-drive", "if=none,format=raw,readonly=on,file=" + disk}, End::started},
      {{"-frob"}, End::refused},
      {{"-serial", "nonsense"}, End::refused},
      {{"-drive", "if=none,format=raw,file=" + (folder / "none")}, End::refused},
      {{"-drive", "if=virtio,format=raw,file=" + disk}, End::unknown},
      {{"-chardev", made("file,id=c,path=")}, End::unknown},
      {{"-D", made("")}, End::unknown},
      {{"-pidfile", made("")}, End::unknown},
      {{"-serial", made("file:")}, End::unknown},
      {{"-chardev", "pty,id=c"}, End::unknown},
      {{"-netdev", "user,id=n,guestfwd=tcp:10.0.2.100:1-cmd:touch " + made("")}, End::started},
      {{"-incoming", made("exec:touch ")}, End::started},
      {{"-version"}, End::unknown},
      {{"-display", "curses"}, End::unknown},
  };
  for (const auto& [words, end] : rows) {
    CAPTURE((words.empty() ? std::string() : words.back()));
    CHECK(tried(words).end == end);
    CHECK_FALSE(std::filesystem::exists(folder / "made"));
  }
  CHECK(read_text(disk) == std::string(65536, 'x'));
  CHECK(tried({"-serial", "a, b"}) ==
        vmr::GuardedTrial{End::refused,
                          "qemu-system-x86_64: -serial a, b: could not connect serial "
                          "device to character backend 'a, b'"});
}

TEST_CASE("guarded trial: a program that is none") {
  CHECK(vmr::try_guarded("/no/such/qemu", {}) == vmr::GuardedTrial{});
  CHECK(vmr::try_guarded("/bin/sleep", {}) == vmr::GuardedTrial{});
}
