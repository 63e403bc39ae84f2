// SPDX-License-Identifier: MIT
// Runs the guest's mount script in real shells, with the guest's system replaced by a folder.
#include "plan/seed.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <vector>

namespace vmr {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ninep_options = "trans=virtio,version=9p2000.L,msize=512000";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

void replace_once(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  REQUIRE(text.find(from, at + 1) == text.npos);
  text.replace(at, from.size(), to);
}

/// A guest without a kernel: its commands that would change the machine are shell functions that
/// write down their arguments, its special files are in a folder.
class FakeGuest {
 public:
  explicit FakeGuest(std::string shell) : shell_(std::move(shell)) {
    fs::create_directories(folder_ / "ports/vport1p1");
    fs::create_directories(folder_ / "ports/vport1p2");
    fs::create_directories(folder_ / "dev");
    write_file(folder_ / "ports/vport1p1/name", "org.qemu.guest_agent.0\n");
    write_file(folder_ / "ports/vport1p2/name", "org.vm-runner.shares\n");
    use_kernel("6.1.0-37-amd64");
    for (const auto* name : {"dev/vport1p1", "dev/vport1p2", "dev/console", "mounts", "dmesg"}) {
      write_file(folder_ / name, "");
    }
  }

  [[nodiscard]] const std::string& shell() const { return shell_; }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  /// Whatever is mounted under this tag from now on fails with these words.
  void refuse(const std::string& tag, std::string_view words, int status = 32) {
    write_file(path("refused-status"), std::to_string(status));
    write_file(path("refused-tag"), tag);
    write_file(path("refused-words"), words);
  }

  /// The guest's kernel is this one from now on.
  void use_kernel(std::string_view release) { write_file(path("release"), release); }

  /// Runs the script; true when it exits 0 and prints nothing.
  [[nodiscard]] bool boot(const std::vector<Share>& shares) const {
    std::string script = mount_script(shares);
    replace_once(script, "#!/bin/sh\n", "#!/bin/sh\n" + commands());
    replace_once(script, "/sys/class/virtio-ports/", path("ports/"));
    replace_once(script, "port=/dev/${port##*/}", "port=" + path("dev/${port##*/}"));
    replace_once(script, ">/dev/console", ">>" + path("dev/console"));
    replace_once(script, "/proc/mounts\n", path("mounts\n"));
    replace_once(script, "timeout 3 ", "timeout 1 ");
    write_file(path("script"), script);
    const auto command = fmt::format("{} {} >{} 2>&1", shell_, path("script"), path("output"));
    const int status = std::system(command.c_str());
    INFO(read_file(path("output")));
    CHECK(read_file(path("output")).empty());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
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

  [[nodiscard]] std::string reports() const { return read_file(path("dev/vport1p2")); }

 private:
  /// Functions, since a busybox shell prefers its own commands to those found in PATH.
  [[nodiscard]] std::string commands() const {
    return fmt::format(
        "record() {{ printf '%s\\0' \"$@\"; printf '\\n'; }}\n"
        "modprobe() {{ record \"$@\" >>{0}/modprobe.calls; echo noise >&2; return 1; }}\n"
        "dmesg() {{ cat {0}/dmesg; }}\n"
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

  test::TemporaryFolder folder_;
  std::string shell_;
};

Share share_with(int number, Driver driver, std::string tag, std::string mount) {
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
    FakeGuest guest(shell);
    test(guest);
  }
}

TEST_CASE("the guest mounts every share and reports it") {
  in_every_shell([](FakeGuest& guest) {
    const auto a = guest.path("mnt/a");
    const auto b = guest.path("mnt/deep/b");
    auto readonly = share_with(2, Driver::ninep, "b", b);
    readonly.readonly = true;
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "a", a), readonly}));
    CHECK(guest.calls("modprobe") == std::vector<std::vector<std::string>>{
                                         {"-q", "virtiofs"}, {"-q", "-a", "9p", "9pnet_virtio"}});
    CHECK(guest.calls("mount") ==
          std::vector<std::vector<std::string>>{
              {"-t", "virtiofs", "-o", "rw", "--", "a", a},
              {"-t", "9p", "-o", fmt::format("{},ro", ninep_options), "--", "b", b}});
    CHECK(guest.reports() == fmt::format("1 ok a:{}\n2 ok b:{}\ndone\n", a, b));
    CHECK(read_file(guest.path("dev/console")).empty());
    CHECK(read_file(guest.path("dev/vport1p1")).empty());
    CHECK(fs::is_directory(a));
    CHECK(fs::is_directory(b));
  });
}

TEST_CASE("9p keeps contents until the next open where the kernel hangs without a cache") {
  const std::vector<std::pair<std::string_view, bool>> kernels = {
      {"4.19.0", false},
      {"5.10.0-34-amd64", false},
      {"6.1.0-37-amd64", false},
      {"6.7", false},
      {"6.7.12+bpo-amd64", false},
      {"6.7-rc1", false},
      {"6.8", true},
      {"6.8.0-60-generic", true},
      {"6.10.3", true},
      {"6.12.48+deb13-cloud-amd64", true},
      {"6.68.1", true},
      {"7.0.0-rc1", true},
      {"10.1.2", true}};
  in_every_shell([&](FakeGuest& guest) {
    for (const auto& [release, reads_ahead] : kernels) {
      CAPTURE(release);
      FakeGuest one(guest.shell());
      one.use_kernel(release);
      auto chosen = share_with(2, Driver::ninep, "b", one.path("b"));
      chosen.cache = CacheMode::none;
      CHECK(one.boot({share_with(1, Driver::ninep, "a", one.path("a")), chosen,
                      share_with(3, Driver::virtiofs, "c", one.path("c"))}));
      CHECK(one.calls("mount") ==
            std::vector<std::vector<std::string>>{
                {"-t", "9p", "-o",
                 fmt::format("{}{}", ninep_options, reads_ahead ? ",cache=readahead" : ""), "--",
                 "a", one.path("a")},
                {"-t", "9p", "-o", fmt::format("{},cache=none", ninep_options), "--", "b",
                 one.path("b")},
                {"-t", "virtiofs", "-o", "rw", "--", "c", one.path("c")}});
    }
  });
}

TEST_CASE("hostile tags and folders reach mount exactly as they are") {
  in_every_shell([](FakeGuest& guest) {
    const auto bomb = fmt::format("$(touch {})", guest.path("pwned"));
    for (const std::string& tag :
         {std::string("-x"), std::string("a b"), std::string("a,b"), std::string("a'b\"c"), bomb,
          "`touch " + guest.path("pwned") + "`", std::string("%n%s"), std::string("\xc3\xbc"),
          std::string("\\040\\c\\n"), std::string("*"), std::string("~"), std::string("a;b&c|d>e"),
          std::string("  "), std::string("#x"), std::string("\xff\xfe\r"), std::string("$1"),
          std::string(255, 'l')}) {
      CAPTURE(tag);
      fs::remove(guest.path("mount.calls"));
      write_file(guest.path("dev/vport1p2"), "");
      // A slash makes folders of its own, so it is left out here.
      auto name = tag;
      std::erase(name, '/');
      const auto mount = guest.path("mnt/" + name);
      const auto share = share_with(7, Driver::ninep, tag, mount);
      CHECK(guest.boot({share}));
      CHECK(guest.calls("mount") ==
            std::vector<std::vector<std::string>>{
                {"-t", "9p", "-o", std::string(ninep_options), "--", tag, mount}});
      CHECK(guest.reports() == "7 ok " + place_word(share) + "\ndone\n");
      CHECK(fs::is_directory(mount));
    }
    CHECK_FALSE(fs::exists(guest.path("pwned")));
  });
}

TEST_CASE("a share that fails is reported in one line and the others go on") {
  in_every_shell([](FakeGuest& guest) {
    const auto a = guest.path("mnt/a");
    const auto b = guest.path("mnt/b");
    guest.refuse("bad tag", "\nmount: /x: unknown filesystem type '9p'.\n       dmesg(1) may\n");
    CHECK(guest.boot(
        {share_with(1, Driver::ninep, "bad tag", a), share_with(2, Driver::virtiofs, "good", b)}));
    CHECK(
        guest.reports() ==
        fmt::format("1 error bad%20tag:{} mount: /x: unknown filesystem type '9p'.\n2 ok good:{}\n"
                    "done\n",
                    a, b));
    CHECK_FALSE(fs::exists(a));
    CHECK(fs::is_directory(b));
  });
}

TEST_CASE("a mount that says it worked and did not is no proof") {
  in_every_shell([](FakeGuest& guest) {
    guest.refuse("-o", "", 0);
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "-o", guest.path("m"))}));
    CHECK(guest.reports() == fmt::format("1 error -o:{} mount failed\ndone\n", guest.path("m")));
    CHECK_FALSE(fs::exists(guest.path("m")));
  });
}

TEST_CASE("two names of one folder are one folder") {
  in_every_shell([](FakeGuest& guest) {
    const auto folder = guest.path("real");
    fs::create_directory(folder);
    fs::create_symlink(folder, guest.path("link"));
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "a", folder),
                      share_with(2, Driver::ninep, "b", guest.path("link"))}));
    CHECK(
        guest.reports() ==
        fmt::format("1 ok a:{}\n2 error b:{} the folder is busy: virtiofs is mounted there\ndone\n",
                    folder, guest.path("link")));
  });
}

TEST_CASE("a failing share leaves a folder that was there before") {
  in_every_shell([](FakeGuest& guest) {
    const auto a = guest.path("old folder");
    fs::create_directory(a);
    guest.refuse("t", "");
    const auto share = share_with(1, Driver::virtiofs, "t", a);
    CHECK(guest.boot({share}));
    CHECK(guest.reports() == "1 error " + place_word(share) + " mount failed\ndone\n");
    CHECK(fs::is_directory(a));
  });
}

TEST_CASE("the words of the kernel are added to the reason") {
  in_every_shell([](FakeGuest& guest) {
    guest.refuse("t%s", "mount: failed\n");
    write_file(guest.path("dmesg"),
               "[    1.0] 9pnet_virtio: no channels available for device other\n"
               "[    2.0] virtio-fs: tag <t%s> not found\n"
               "[    3.5] 9pnet_virtio: no channels available for device t%s\n"
               "[    4.0] something else\n");
    CHECK(guest.boot({share_with(1, Driver::ninep, "t%s", guest.path("m"))}));
    CHECK(guest.reports() ==
          "1 error t%25s:" + guest.path("m") +
              " mount: failed (9pnet_virtio: no channels available for device t%s)\ndone\n");
  });
}

TEST_CASE("a share that is already mounted there is not mounted again") {
  in_every_shell([](FakeGuest& guest) {
    const auto folder = guest.path("a b%\\n");
    // As the kernel writes it: a blank is \040, a backslash \134, and # may be \043.
    write_file(guest.path("mounts"),
               fmt::format("/dev/vda / ext4 rw 0 0\n-x\\040%d\\043 {} 9p rw,relatime 0 0\n",
                           guest.path("a\\040b%\\134n")));
    const auto share = share_with(1, Driver::ninep, "-x %d#", folder);
    CHECK(guest.boot({share}));
    CHECK(guest.calls("mount").empty());
    CHECK(guest.reports() == "1 ok " + place_word(share) + "\ndone\n");
  });
}

TEST_CASE("a share does not hide what else is mounted at its folder") {
  in_every_shell([](FakeGuest& guest) {
    const auto folder = guest.path("m");
    for (const std::string there : {"tag {} virtiofs", "other {} 9p", "-\\040x {} tmpfs"}) {
      CAPTURE(there);
      write_file(guest.path("dev/vport1p2"), "");
      write_file(guest.path("mounts"), fmt::format(fmt::runtime(there), folder) + " rw 0 0\n");
      CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
      CHECK(guest.calls("mount").empty());
      CHECK(guest.reports() ==
            fmt::format("1 error tag:{} the folder is busy: {} is mounted there\ndone\n", folder,
                        there.substr(there.rfind(' ') + 1)));
    }
  });
}

TEST_CASE("a mount elsewhere and one that is covered by ours do not matter") {
  in_every_shell([](FakeGuest& guest) {
    const auto folder = guest.path("m");
    write_file(guest.path("mounts"), fmt::format("tag {}x 9p rw 0 0\n", folder));
    CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
    CHECK(guest.calls("mount").size() == 1);
    write_file(guest.path("mounts"),
               fmt::format("tmpfs {0} tmpfs rw 0 0\ntag {0} 9p rw 0 0\n", folder));
    CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
    CHECK(guest.calls("mount").size() == 1);
    CHECK(guest.reports() == fmt::format("1 ok tag:{0}\ndone\n1 ok tag:{0}\ndone\n", folder));
  });
}

TEST_CASE("a folder that cannot be made is reported") {
  in_every_shell([](FakeGuest& guest) {
    const auto file = guest.path("file");
    write_file(file, "kept");
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "t", file)}));
    const auto reports = guest.reports();
    CHECK(reports.starts_with("1 error t:" + file + " mkdir: "));
    CHECK(reports.ends_with(": File exists\ndone\n"));
    CHECK(guest.calls("mount").empty());
    CHECK(read_file(file) == "kept");
  });
}

TEST_CASE("a writable mapped share is opened to every guest user once mounted") {
  in_every_shell([](FakeGuest& guest) {
    const auto mode_of = [&](AccessMode accessmode, const std::string& name) {
      auto share = share_with(1, Driver::ninep, name, guest.path(name));
      share.accessmode = accessmode;
      fs::create_directory(share.mount);
      fs::permissions(share.mount, fs::perms(0750));
      CHECK(guest.boot({share}));
      return fs::status(share.mount).permissions();
    };
    CHECK(mode_of(AccessMode::mapped, "mapped") == fs::perms(0777));
    CHECK(mode_of(AccessMode::squash, "squash") == fs::perms(0750));
    CHECK(mode_of(AccessMode::passthrough, "passthrough") == fs::perms(0750));
    guest.refuse("failed", "no\n");
    CHECK(mode_of(AccessMode::mapped, "failed") == fs::perms(0750));
  });
}

TEST_CASE("the boot goes on without a port and without a console") {
  in_every_shell([](FakeGuest& guest) {
    fs::remove_all(guest.path("ports"));
    fs::remove_all(guest.path("dev"));
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "t", guest.path("m"))}));
    CHECK(guest.calls("mount").size() == 1);
    CHECK_FALSE(fs::exists(guest.path("dev")));
  });
}

TEST_CASE("a port that nobody reads delays the boot once") {
  FakeGuest guest("sh");
  // Opening a FIFO for writing blocks until somebody reads, as writing to such a port does.
  fs::remove(guest.path("dev/vport1p2"));
  const auto fifo = guest.path("dev/vport1p2");
  REQUIRE(std::system(("mkfifo " + fifo).c_str()) == 0);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(guest.boot({share_with(1, Driver::virtiofs, "a", guest.path("a")),
                    share_with(2, Driver::virtiofs, "b", guest.path("b")),
                    share_with(3, Driver::virtiofs, "c", guest.path("c")),
                    share_with(4, Driver::virtiofs, "d", guest.path("d"))}));
  // Five lines would take five seconds.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(4));
  CHECK(guest.calls("mount").size() == 4);
}

}  // namespace
}  // namespace vmr
