// SPDX-License-Identifier: MIT
// The guest's mount script in real shells, with the guest's system replaced by a folder.
#pragma once

#include "plan/seed.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmr::test {

namespace fs = std::filesystem;

/// Replaces `from`, which `text` has once.
inline void replace_once(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  REQUIRE(text.find(from, at + 1) == text.npos);
  text.replace(at, from.size(), to);
}

/// A guest without a kernel: its commands that would change the machine are shell functions that
/// write down their arguments, its special files are in a folder.
class MountScriptGuest {
 public:
  explicit MountScriptGuest(std::string shell) : shell_(std::move(shell)) {
    fs::create_directories(folder_ / "ports/vport1p1");
    fs::create_directories(folder_ / "ports/vport1p2");
    fs::create_directories(folder_ / "dev");
    write_text(folder_ / "ports/vport1p1/name", "org.qemu.guest_agent.0\n");
    write_text(folder_ / "ports/vport1p2/name", "org.vm-runner.shares\n");
    use_kernel("6.1.0-37-amd64");
    for (const auto* name :
         {"dev/vport1p1", "dev/vport1p2", "dev/console", "mounts", "dmesg", "passwd"}) {
      write_text(folder_ / name, "");
    }
  }

  [[nodiscard]] const std::string& shell() const { return shell_; }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  /// Whatever is mounted under this tag from now on fails with these words.
  void refuse(const std::string& tag, std::string_view words, int status = 32) {
    write_text(path("refused-status"), std::to_string(status));
    write_text(path("refused-tag"), tag);
    write_text(path("refused-words"), std::string(words));
  }

  /// The guest's kernel is this one from now on.
  void use_kernel(std::string_view release) { write_text(path("release"), std::string(release)); }

  /// Runs the script; true when it exits 0 and prints nothing.
  [[nodiscard]] bool boot(const std::vector<Share>& shares) const {
    std::string script = mount_script(shares);
    replace_once(script, "#!/bin/sh\n", "#!/bin/sh\n" + commands());
    replace_once(script, "/sys/class/virtio-ports/", path("ports/"));
    replace_once(script, "port=/dev/${port##*/}", "port=" + path("dev/${port##*/}"));
    replace_once(script, ">/dev/console", ">>" + path("dev/console"));
    replace_once(script, "/proc/mounts\n", path("mounts\n"));
    replace_once(script, "timeout 3 ", "timeout 1 ");
    replace_once(script, "</etc/passwd", "<" + path("passwd"));
    replace_once(script, "/etc/skel/* /etc/skel/.", path("skel/* ") + path("skel/."));
    replace_once(script, "/etc/login.defs", path("login.defs"));
    replace_once(script, "[ ! -d /run/cloud-init ] || [ -e /run/cloud-init/result.json ]",
                 fmt::format("[ ! -d {0} ] || [ -e {0}/result.json ]", path("cloud-init")));
    write_text(path("script"), script);
    // cloud-init reads to the end of what is printed: nothing may keep that open.
    const auto command = fmt::format("{{ {} {}; echo $? >{}; }} 2>&1 | cat >{}", shell_,
                                     path("script"), path("status"), path("output"));
    REQUIRE(std::system(command.c_str()) == 0);
    INFO(read_text(path("output")));
    CHECK(read_text(path("output")).empty());
    return read_text(path("status")) == "0\n";
  }

  /// The arguments of each call of `command`.
  [[nodiscard]] std::vector<std::vector<std::string>> calls(const std::string& command) const {
    std::vector<std::vector<std::string>> calls;
    std::ifstream file(path(command + ".calls"), std::ios::binary);
    for (std::string call; std::getline(file, call);) {
      std::vector<std::string> words;
      for (std::size_t at = 0; at < call.size(); at = call.find('\0', at) + 1) {
        words.emplace_back(call.c_str() + at);
      }
      calls.push_back(std::move(words));
    }
    return calls;
  }

  [[nodiscard]] std::string reports() const { return read_text(path("dev/vport1p2")); }

 private:
  /// Functions, since a busybox shell prefers its own commands to those found in PATH.
  [[nodiscard]] std::string commands() const {
    return fmt::format(
        "record() {{ printf '%s\\0' \"$@\"; printf '\\n'; }}\n"
        "modprobe() {{ record \"$@\" >>{0}/modprobe.calls; echo noise >&2; return 1; }}\n"
        "dmesg() {{ cat {0}/dmesg; }}\n"
        "chown() {{ record \"$@\" >>{0}/chown.calls; [ \"$3\" != {0}/home/anna ] || : "
        ">{0}/handed-over; }}\n"
        "uname() {{ cat {0}/release; }}\n"
        "mount() {{\n"
        "  record \"$@\" >>{0}/mount.calls\n"
        "  if [ \"$6\" = \"$(cat {0}/refused-tag 2>/dev/null)\" ]; then\n"
        "    cat {0}/refused-words >&2\n"
        "    return $(cat {0}/refused-status)\n"
        "  fi\n"
        "  for word in \"$6\" \"$7\" \"$2\"; do\n"
        "    printf '%s' \"$word\" | sed 's/\\\\/\\\\134/g; s/ /\\\\040/g'\n"
        "    printf ' '\n"
        "  done >>{0}/mounts\n"
        "  echo rw 0 0 >>{0}/mounts\n"
        "}}\n",
        folder_.path());
  }

  TemporaryFolder folder_;
  std::string shell_;
};

inline Share share_with(int number, Driver driver, std::string tag, std::string mount) {
  Share share;
  share.number = number;
  share.driver = driver;
  share.tag = std::move(tag);
  share.mount = std::move(mount);
  return share;
}

/// Runs `test` in each shell that a guest may have as /bin/sh.
template <typename Test>
void in_every_shell(const Test& test) {
  for (const auto* shell : {"sh", "busybox sh"}) {
    CAPTURE(shell);
    MountScriptGuest guest(shell);
    test(guest);
  }
}

}  // namespace vmr::test
