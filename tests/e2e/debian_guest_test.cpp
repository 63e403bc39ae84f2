// SPDX-License-Identifier: MIT
// The demo guest with the real cloud-init, to its end.
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <crypt.h>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

Launcher::Variables debian_settings() {
  return {{"BASE_IMAGE", debian_guest()}, {"ACCEL", ""}, {"MEMORY", "1024"}, {"CPUS", "2"}};
}

/// User-data with mounts, bootcmd and runcmd of its own: each could push ours aside, and none may.
/// Its runcmd writes what it sees into every share, then powers off.
constexpr const char* user_data = R"(#cloud-config
users:
  - default
  - name: anna
    homedir: /srv/anna
mounts:
  - [tmpfs, /srv/own, tmpfs, "defaults,nofail"]
bootcmd:
  - [sh, -c, "echo bootcmd > /run/own-bootcmd"]
runcmd:
  - |
    for folder in /mnt/*; do
      {
        id -un
        cat /run/own-bootcmd
        findmnt -n -o FSTYPE "$folder"
        findmnt -n -o FSTYPE /srv/own
        cloud-init status | head -n 1
        hostname
      } > "$folder/seen"
      grep ^debian: /etc/shadow > "$folder/shadow"
    done
    for home in /home/debian /srv/anna; do
      {
        stat -c '%U:%G %n' "$home" "$home/my work"
        ls -A "$home"
      } > "$home/my work/src/seen"
    done
    poweroff
)";

constexpr const char* password = "pass 'word' \"$x\" ü";

/// Whether the hash of the line of /etc/shadow is that of `password`.
bool is_password(const std::string& shadow_line, const std::string& password) {
  const auto begin = shadow_line.find(':') + 1;
  const auto hash = shadow_line.substr(begin, shadow_line.find(':', begin) - begin);
  const char* again = ::crypt(password.c_str(), hash.c_str());
  return again != nullptr && hash == again && hash.starts_with("$6$");
}

void check_first_boot(const Observed& seen, const TemporaryFolder& host) {
  CHECK_MESSAGE(seen.status == 0, seen.console);
  CHECK(seen.log_with("[ERROR]") == Lines{});
  for (const std::string line : {"[INFO] Filesystem #1: mounted in the guest at /mnt/v",
                                 "[INFO] Filesystem #2: mounted in the guest at /mnt/m",
                                 "[INFO] Filesystem #3: mounted in the guest at /mnt/-x",
                                 "[INFO] Filesystem #4: mounted in the guest at /mnt/#y %s ü"}) {
    CAPTURE(line);
    CHECK(seen.log_with(line).size() == 1);
  }
  const std::map<std::string, std::string> types = {
      {"v", "virtiofs"}, {"m", "9p"}, {"x", "virtiofs"}, {"y", "9p"}};
  for (const auto& [folder, type] : types) {
    CAPTURE(folder);
    CHECK(lines_of(read_file(host / folder + "/seen")) ==
          Lines{"root", "bootcmd", type, "tmpfs", "status: running", "debian-test"});
    CHECK(is_password(read_file(host / folder + "/shadow"), password));
  }
}

/// The share in the home of `user` was mounted there before the user was made.
void check_home(const std::string& user, const std::string& home, const std::string& source) {
  CAPTURE(user);
  const auto owner = user + ":" + user + " ";
  auto seen = lines_of(read_file(source + "/seen"));
  // cloud-init makes it for the default user.
  std::erase(seen, ".ssh");
  CHECK(seen == Lines{owner + home, owner + home + "/my work", ".bash_logout", ".bashrc",
                      ".profile", "my work"});
}

}  // namespace

TEST_CASE("a Debian guest runs cloud-init to its end and mounts other shares at its next boot") {
  const TemporaryFolder host;
  const TextFile data(user_data);
  const auto settings = join(debian_settings(), {{"CLOUD_INIT_USER_DATA", data.path()},
                                                 {"GUEST_NAME", "debian-test"},
                                                 {"GUEST_PASSWORD", password},
                                                 {"PERSIST", "1"},
                                                 {"DATA_DIR", host / "data"}});
  // The last two tags are too much for busybox's mount.
  auto shares =
      join(join(share(1, {{"SOURCE", host / "v"}}),
                share(2, {{"SOURCE", host / "m"}, {"DRIVER", "9p"}, {"ACCESSMODE", "mapped"}})),
           join(share(3, {{"SOURCE", host / "x"}, {"TARGET", "-x"}}),
                share(4, {{"SOURCE", host / "y"}, {"TARGET", "#y %s ü"}, {"DRIVER", "9p"}})));
  shares = join(shares,
                join(share(5, {{"SOURCE", host / "home"}, {"MOUNT", "/home/debian/my work/src"}}),
                     share(6, {{"SOURCE", host / "anna"}, {"MOUNT", "/srv/anna/my work/src"}})));
  check_first_boot(observe(run_launcher(join(settings, shares))), host);
  check_home("debian", "/home/debian", host / "home");
  check_home("anna", "/srv/anna", host / "anna");

  // cloud-init's own mounts and runcmd run once a disk; the shares are those of this boot.
  Launcher second(join(settings, share(1, {{"SOURCE", host / "new"}})));
  CHECK(second.wait_for_log("[INFO] Filesystem #1: mounted in the guest at /mnt/new\n"));
  second.signal(SIGTERM);
  const auto stopped = second.finish();
  CHECK_MESSAGE(stopped.status == 0, stopped.output);
  CHECK_MESSAGE(observe(stopped).log_with("mounted in the guest").size() == 1, stopped.log);
  CHECK(second.left_files() == Lines{});
  CHECK_FALSE(std::filesystem::exists(host / "new/seen"));
}
