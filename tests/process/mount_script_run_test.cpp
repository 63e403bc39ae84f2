// SPDX-License-Identifier: MIT
// Runs the guest's mount script in real shells, with the guest's system replaced by a folder.
#include "support/mount_script_guest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmr::test {
namespace {

constexpr std::string_view ninep_options = "trans=virtio,version=9p2000.L,msize=512000";

TEST_CASE("the guest mounts every share and reports it") {
  in_every_shell([](MountScriptGuest& guest) {
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
    CHECK(read_text(guest.path("dev/console")).empty());
    CHECK(read_text(guest.path("dev/vport1p1")).empty());
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
  in_every_shell([&](MountScriptGuest& guest) {
    for (const auto& [release, reads_ahead] : kernels) {
      CAPTURE(release);
      MountScriptGuest one(guest.shell());
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
  in_every_shell([](MountScriptGuest& guest) {
    const auto bomb = fmt::format("$(touch {})", guest.path("pwned"));
    for (const std::string& tag :
         {std::string("-x"), std::string("a b"), std::string("a,b"), std::string("a'b\"c"), bomb,
          "`touch " + guest.path("pwned") + "`", std::string("%n%s"), std::string("\xc3\xbc"),
          std::string("\\040\\c\\n"), std::string("*"), std::string("~"), std::string("a;b&c|d>e"),
          std::string("  "), std::string("#x"), std::string("\xff\xfe\r"), std::string("$1"),
          std::string(255, 'l')}) {
      CAPTURE(tag);
      fs::remove(guest.path("mount.calls"));
      write_text(guest.path("dev/vport1p2"), "");
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
  in_every_shell([](MountScriptGuest& guest) {
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
  in_every_shell([](MountScriptGuest& guest) {
    guest.refuse("-o", "", 0);
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "-o", guest.path("m"))}));
    CHECK(guest.reports() == fmt::format("1 error -o:{} mount failed\ndone\n", guest.path("m")));
    CHECK_FALSE(fs::exists(guest.path("m")));
  });
}

TEST_CASE("two names of one folder are one folder") {
  in_every_shell([](MountScriptGuest& guest) {
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
  in_every_shell([](MountScriptGuest& guest) {
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
  in_every_shell([](MountScriptGuest& guest) {
    guest.refuse("t%s", "mount: failed\n");
    write_text(guest.path("dmesg"),
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
  in_every_shell([](MountScriptGuest& guest) {
    const auto folder = guest.path("a b%\\n");
    // As the kernel writes it: a blank is \040, a backslash \134, and # may be \043.
    write_text(guest.path("mounts"),
               fmt::format("/dev/vda / ext4 rw 0 0\n-x\\040%d\\043 {} 9p rw,relatime 0 0\n",
                           guest.path("a\\040b%\\134n")));
    const auto share = share_with(1, Driver::ninep, "-x %d#", folder);
    CHECK(guest.boot({share}));
    CHECK(guest.calls("mount").empty());
    CHECK(guest.reports() == "1 ok " + place_word(share) + "\ndone\n");
  });
}

TEST_CASE("a share does not hide what else is mounted at its folder") {
  in_every_shell([](MountScriptGuest& guest) {
    const auto folder = guest.path("m");
    for (const std::string there : {"tag {} virtiofs", "other {} 9p", "-\\040x {} tmpfs"}) {
      CAPTURE(there);
      write_text(guest.path("dev/vport1p2"), "");
      write_text(guest.path("mounts"), fmt::format(fmt::runtime(there), folder) + " rw 0 0\n");
      CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
      CHECK(guest.calls("mount").empty());
      CHECK(guest.reports() ==
            fmt::format("1 error tag:{} the folder is busy: {} is mounted there\ndone\n", folder,
                        there.substr(there.rfind(' ') + 1)));
    }
  });
}

TEST_CASE("a mount elsewhere and one that is covered by ours do not matter") {
  in_every_shell([](MountScriptGuest& guest) {
    const auto folder = guest.path("m");
    write_text(guest.path("mounts"), fmt::format("tag {}x 9p rw 0 0\n", folder));
    CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
    CHECK(guest.calls("mount").size() == 1);
    write_text(guest.path("mounts"),
               fmt::format("tmpfs {0} tmpfs rw 0 0\ntag {0} 9p rw 0 0\n", folder));
    CHECK(guest.boot({share_with(1, Driver::ninep, "tag", folder)}));
    CHECK(guest.calls("mount").size() == 1);
    CHECK(guest.reports() == fmt::format("1 ok tag:{0}\ndone\n1 ok tag:{0}\ndone\n", folder));
  });
}

TEST_CASE("a folder that cannot be made is reported") {
  in_every_shell([](MountScriptGuest& guest) {
    const auto file = guest.path("file");
    write_text(file, "kept");
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "t", file)}));
    const auto reports = guest.reports();
    CHECK(reports.starts_with("1 error t:" + file + " mkdir: "));
    CHECK(reports.ends_with(": File exists\ndone\n"));
    CHECK(guest.calls("mount").empty());
    CHECK(read_text(file) == "kept");
  });
}

TEST_CASE("a writable mapped share is opened to every guest user once mounted") {
  in_every_shell([](MountScriptGuest& guest) {
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
  in_every_shell([](MountScriptGuest& guest) {
    fs::remove_all(guest.path("ports"));
    fs::remove_all(guest.path("dev"));
    CHECK(guest.boot({share_with(1, Driver::virtiofs, "t", guest.path("m"))}));
    CHECK(guest.calls("mount").size() == 1);
    CHECK_FALSE(fs::exists(guest.path("dev")));
  });
}

TEST_CASE("a port that nobody reads delays the boot once") {
  MountScriptGuest guest("sh");
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
}  // namespace vmr::test
