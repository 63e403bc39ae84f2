// SPDX-License-Identifier: MIT
#include "run/guest_reports.hpp"

#include "plan/seed.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <utility>

namespace vmr {
namespace {

using Kind = GuestReport::Kind;
using Event = GuestReports::Event;

Share share_with(int number, Driver driver, const std::string& mount) {
  Share share;
  share.number = number;
  share.driver = driver;
  share.tag = fmt::format("tag {}", number);
  share.mount = mount;
  return share;
}

GuestReports two_shares() {
  return GuestReports(
      {share_with(1, Driver::virtiofs, "/mnt/a"), share_with(12, Driver::ninep, "/mnt/b c")});
}

TEST_CASE("lines that a guest reports") {
  CHECK(parse_guest_report("1 ok a%20b:/mnt/a") ==
        GuestReport{Kind::mounted, 1, "", "a%20b:/mnt/a"});
  CHECK(parse_guest_report("2 error t:/mnt/a mount: no") ==
        GuestReport{Kind::failed, 2, "mount: no", "t:/mnt/a"});
  CHECK(parse_guest_report("2 error t:/mnt/a") == GuestReport{Kind::failed, 2, "", "t:/mnt/a"});
  CHECK(parse_guest_report("1 ok /mnt/a") == GuestReport{Kind::mounted, 1, "", "/mnt/a"});
  CHECK(parse_guest_report("999 ok /mnt/a b,c 'd'") ==
        GuestReport{Kind::mounted, 999, "", "/mnt/a b,c 'd'"});
  CHECK(parse_guest_report("2 error mount: no") == GuestReport{Kind::failed, 2, "mount: no"});
  CHECK(parse_guest_report("2 error ") == GuestReport{Kind::failed, 2, ""});
  CHECK(parse_guest_report("3 gone") == GuestReport{Kind::gone, 3, ""});
  CHECK(parse_guest_report("3 kept umount: busy") == GuestReport{Kind::kept, 3, "umount: busy"});
  CHECK(parse_guest_report("2 error \xff \xe2\x82") ==
        GuestReport{Kind::failed, 2, "\xef\xbf\xbd \xef\xbf\xbd"});
  CHECK(parse_guest_report("done") == GuestReport{Kind::done, 0, ""});
}

TEST_CASE("what a guest reports is printable as soon as it is read") {
  CHECK(parse_guest_report("2 error t:/a\x1b \x1b]0;x\x07\xe2\x80\xae\xc2\x9b") ==
        GuestReport{Kind::failed, 2, "\\x1b]0;x\\x07\\u202e\\u009b", "t:/a\\x1b"});
  CHECK(parse_guest_report("1 ok /\x1b[2J") == GuestReport{Kind::mounted, 1, "", "/\\x1b[2J"});
  CHECK(parse_guest_report("3 kept \xe2\x80\xa8") == GuestReport{Kind::kept, 3, "\\u2028"});
  // A folder's own name may have such characters, too.
  auto reports = GuestReports({share_with(1, Driver::ninep, "/a\x1b\xc2\x9b")});
  reports.take("1 ok /a\x1b\xc2\x9b");
  CHECK(reports.proof(1) == ShareProof{ShareProof::State::mounted, ""});
  reports.take("1 ok /\x1b[2J");
  CHECK(reports.proof(1) ==
        ShareProof{ShareProof::State::failed,
                   "the guest has another configuration, where this is /\\x1b[2J"});
}

TEST_CASE("shares come and go and a guest that restarts has proved nothing") {
  auto reports = two_shares();
  reports.take("1 ok /mnt/a");
  reports.take("done");
  CHECK(reports.take("3 ok /mnt/c") == std::nullopt);
  reports.add(share_with(3, Driver::virtiofs, "/mnt/c"));
  CHECK(reports.take("3 ok /mnt/c") ==
        Event{LogLevel::info, "Filesystem #3: mounted in the guest at /mnt/c"});
  CHECK(reports.proof(3) == ShareProof{ShareProof::State::mounted, ""});
  CHECK(reports.take("3 kept umount: busy") == std::nullopt);
  CHECK(reports.proof(3) == ShareProof{ShareProof::State::mounted, ""});
  CHECK(reports.take("3 gone") == std::nullopt);
  CHECK(reports.proof(3) == ShareProof{});
  reports.remove(3);
  CHECK(reports.take("3 ok /mnt/c") == std::nullopt);

  CHECK(reports.complete());
  reports.restart();
  CHECK_FALSE(reports.complete());
  CHECK(reports.proof(1) == ShareProof{});
}

TEST_CASE("anything else that a guest writes is no report") {
  const std::vector<std::string> lines = {"",
                                          "ok /mnt/a",
                                          "1",
                                          "1 ok",
                                          "1 okay x",
                                          "1  ok x",
                                          "1 OK x",
                                          "1 error",
                                          "0 ok x",
                                          "-1 ok x",
                                          "+1 ok x",
                                          " 1 ok x",
                                          "1x ok x",
                                          "1 gone ",
                                          "1 kept",
                                          "0x1 ok x",
                                          "99999999999999999999 ok x",
                                          "done ",
                                          "Done",
                                          std::string("\0done", 5),
                                          "\xff\xfe",
                                          "%s%n",
                                          std::string(100000, '1')};
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK(parse_guest_report(line) == std::nullopt);
  }
}

TEST_CASE("reports become events") {
  auto reports = two_shares();
  CHECK(reports.take("1 ok /mnt/a") ==
        Event{LogLevel::info, "Filesystem #1: mounted in the guest at /mnt/a"});
  CHECK_FALSE(reports.complete());
  CHECK(reports.take("12 error mount: /mnt/b c: unknown filesystem type '9p'.") ==
        Event{LogLevel::error,
              "Filesystem #12: not mounted in the guest at /mnt/b c: mount: /mnt/b c: unknown "
              "filesystem type '9p'. (the guest's kernel has no 9p (Debian's cloud kernels do "
              "not): use a guest with linux-image-amd64, or FILESYSTEM12_DRIVER=virtiofs)"});
  CHECK_FALSE(reports.complete());
  CHECK(reports.take("done") == std::nullopt);
  CHECK(reports.complete());
}

TEST_CASE("tag and folder of a share are one word") {
  const auto word = [](const std::string& tag, const std::string& mount) {
    Share share;
    share.tag = tag;
    share.mount = mount;
    return place_word(share);
  };
  CHECK(word("share", "/mnt/share") == "share:/mnt/share");
  CHECK(word("a b:/c", "/mnt/a,'\"b") == "a%20b%3A%2Fc:/mnt/a%2C%27%22b");
  CHECK(word("100%", "/\n\xc3\xbc:x") == "100%25:/%0A%C3%BC%3Ax");
  CHECK(word("-x~", "/m_1.a-b") == "-x%7E:/m_1.a-b");
}

TEST_CASE("a report of another configuration is no proof") {
  const std::string hint =
      " (its cloud-init kept what it read before: in the guest, take manual_cache_clean out of its "
      "configuration, and run cloud-init clean --reboot)";
  const auto error = [](const std::string& text) { return Event{LogLevel::error, text}; };
  auto reports = two_shares();
  CHECK(reports.take("1 ok tag%201:/mnt/a") ==
        Event{LogLevel::info, "Filesystem #1: mounted in the guest at /mnt/a"});
  for (const std::string place : {"other:/mnt/a", "tag%201:/mnt/old", "/mnt/old"}) {
    const auto reason = "the guest has another configuration, where this is " + place;
    CHECK(reports.take("1 ok " + place) ==
          error("Filesystem #1: not mounted in the guest at /mnt/a: " + reason + hint));
    CHECK(reports.proof(1) == ShareProof{ShareProof::State::failed, reason});
  }
  CHECK(reports.take("1 error other:/mnt/a mount: no") ==
        error("Filesystem #1: not mounted in the guest at /mnt/a: the guest has another "
              "configuration, where this is other:/mnt/a" +
              hint));
  CHECK(reports.take("done") ==
        error("Filesystem #12: not mounted in the guest, which has another configuration" + hint));
  CHECK(reports.proof(12) == ShareProof{ShareProof::State::failed,
                                        "the guest has another configuration, without this share"});
  CHECK(reports.complete());

  // A share that was added later is none that the guest's own script knows.
  auto later = two_shares();
  later.add(share_with(13, Driver::virtiofs, "/mnt/c"));
  later.take("1 ok tag%201:/mnt/a");
  later.take("12 error tag%2012:/mnt/b%20c mount: no");
  CHECK(later.proof(12) == ShareProof{ShareProof::State::failed, "mount: no"});
  CHECK(later.take("done") == std::nullopt);
  CHECK(later.proof(13) == ShareProof{});
}

TEST_CASE("shares that we do not have and noise are ignored") {
  auto reports = two_shares();
  CHECK(reports.take("2 ok /mnt/a") == std::nullopt);
  CHECK(reports.take("login:") == std::nullopt);
  CHECK(reports.take("") == std::nullopt);
  CHECK_FALSE(reports.complete());
}

TEST_CASE("a guest cannot fill the log") {
  auto reports = two_shares();
  int events = 0;
  for (int i = 0; i < 1000; ++i) {
    if (reports.take(i % 2 == 0 ? "1 ok /mnt/a" : "1 error x")) ++events;
  }
  CHECK(events == 20);
  CHECK(reports.take("12 ok /mnt/b c") ==
        Event{LogLevel::info, "Filesystem #12: mounted in the guest at /mnt/b c"});
}

TEST_CASE("what to do about a share that was not mounted") {
  const std::string no_9p =
      "the guest's kernel has no 9p (Debian's cloud kernels do not): use a guest with "
      "linux-image-amd64, or FILESYSTEM_DRIVER=virtiofs";
  const std::string no_virtiofs =
      "the guest's kernel has no virtiofs (Linux 5.4 and later do): use a newer guest, or "
      "FILESYSTEM_DRIVER=9p";
  struct Row {
    Driver driver;
    std::string reason;
    std::string hint;
  };
  const std::vector<Row> rows = {
      {Driver::ninep, "mount: /mnt/a: unknown filesystem type '9p'.", no_9p},
      {Driver::virtiofs, "unknown filesystem type 'virtiofs'", no_virtiofs},
      {Driver::ninep, "mounting a on /mnt/a failed: No such device", no_9p},
      {Driver::virtiofs, "No such device", no_virtiofs},
      {Driver::virtiofs, "mount: /mnt/a: device is already mounted or mount point busy.",
       "choose another folder with FILESYSTEM_MOUNT"},
      {Driver::virtiofs, "the folder is busy: tmpfs is mounted there",
       "choose another folder with FILESYSTEM_MOUNT"},
      {Driver::ninep,
       "mounting a on /mnt/a failed: Device or resource busy (9pnet_virtio: no channels available "
       "for device a)",
       "the guest has mounted this share elsewhere, and 9p allows it once: take that out of its "
       "/etc/fstab or user-data, or name that folder with FILESYSTEM_MOUNT"},
      {Driver::ninep,
       "mounting a on /mnt/a failed: No such file or directory (9pnet_virtio: no channels "
       "available "
       "for device a)",
       "the guest sees no share of this tag: does EXTRA_ARGS change the machine?"},
      {Driver::virtiofs,
       "mounting a on /mnt/a failed: Invalid argument (virtio-fs: tag <a> not found)",
       "the guest sees no share of this tag: does EXTRA_ARGS change the machine?"},
      {Driver::virtiofs, "mkdir: cannot create directory '/mnt/a': File exists",
       "the guest has a file there: choose another folder with FILESYSTEM_MOUNT"},
      {Driver::ninep, "Not a directory",
       "the guest has a file there: choose another folder with FILESYSTEM_MOUNT"},
      {Driver::ninep, "Permission denied", "look at the owner and mode of the source on the host"},
      {Driver::ninep, "mkdir: can't create directory '/mnt/a': Read-only file system",
       "the folder cannot be made there: choose another one with FILESYSTEM_MOUNT"},
      {Driver::ninep, "", "look at the guest's own log (dmesg)"},
      {Driver::virtiofs, "wrong fs type", "look at the guest's own log (dmesg)"}};
  auto odd = share_with(2, Driver::virtiofs, "/mnt/a");
  odd.tag = "-o";
  CHECK(
      hint_for(odd, "mount failed") ==
      "the guest's mount may have taken the tag for an option or a helper, as busybox does with a "
      "leading '-' and a '#': choose another FILESYSTEM2_TARGET");
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(hint_for(share_with(1, row.driver, "/mnt/a"), row.reason) == row.hint);
  }
}

}  // namespace
}  // namespace vmr
