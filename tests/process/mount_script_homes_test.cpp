// SPDX-License-Identifier: MIT
// What becomes of the home directories that shares are mounted in.
#include "support/mount_script_guest.hpp"
#include "support/wait_for_file.hpp"

namespace vmr::test {
namespace {

/// What is done to the homes of a guest with a skeleton, once `make_user` has written a `passwd`.
template <typename MakeUser>
std::vector<std::vector<std::string>> hand_over_homes(MountScriptGuest& guest,
                                                      const MakeUser& make_user) {
  fs::create_directories(guest.path("skel/.config"));
  write_text(guest.path("skel/.profile"), "theirs");
  write_text(guest.path("skel/notes"), "");
  write_text(guest.path("login.defs"), "UMASK 022\nHOME_MODE\t0710\n");
  const auto src = share_with(1, Driver::virtiofs, "src", guest.path("home/anna/my work/src"));
  const auto other = share_with(2, Driver::virtiofs, "other", guest.path("srv/x/y"));
  CHECK(guest.boot({src, other}));
  CHECK(guest.reports() ==
        fmt::format("2 ok {}\n1 ok {}\ndone\n", place_word(other), place_word(src)));
  make_user();
  CHECK(wait_for_file(guest.path("handed-over")));
  return guest.calls("chown");
}

}  // namespace

TEST_CASE("folders on the way to a mount folder in a home are the user's, and a home is filled") {
  in_every_shell([](MountScriptGuest& guest) {
    const auto home = guest.path("home/anna");
    const auto passwd = fmt::format(
        "root:x:0:0::/:/bin/sh\nsrv:x:999:999::{}:/bin/sh\nann:x:1001:1001::{}:/bin/sh\n"
        "anna:x:1000:1100:Anna,,:{}:/bin/sh\n",
        guest.path("srv"), guest.path("home/ann"), home);
    write_text(guest.path("passwd"), passwd);
    const std::string user = "1000:1100";
    CHECK(hand_over_homes(guest, [] {}) ==
          std::vector<std::vector<std::string>>{{"-h", user, home + "/my work"},
                                                {"-R", "-h", user, home + "/notes"},
                                                {"-R", "-h", user, home + "/.config"},
                                                {"-R", "-h", user, home + "/.profile"},
                                                {"-h", user, home}});
    CHECK(read_text(home + "/.profile") == "theirs");
    CHECK(fs::status(home).permissions() == fs::perms{0710});
  });
}

TEST_CASE("at the first boot a home waits for its user, and keeps what cloud-init put there") {
  in_every_shell([](MountScriptGuest& guest) {
    const auto home = guest.path("home/anna");
    fs::create_directories(guest.path("cloud-init"));
    const auto calls = hand_over_homes(guest, [&] {
      CHECK(guest.calls("chown").empty());
      write_text(home + "/.profile", "mine");
      write_text(guest.path("passwd.new"), fmt::format("anna:x:1000:1000::{}/:/bin/sh\n", home));
      fs::rename(guest.path("passwd.new"), guest.path("passwd"));
    });
    CHECK(calls.size() == 4);
    CHECK(read_text(home + "/.profile") == "mine");
    // What nobody owns is waited for until cloud-init ends.
    write_text(guest.path("cloud-init/result.json"), "");
  });
}

}  // namespace vmr::test
