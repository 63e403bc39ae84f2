// SPDX-License-Identifier: MIT
#include "spec/guest_folders.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vmr::test {

TEST_CASE("a share is not mounted over what a guest needs itself") {
  for (const std::string folder : {"/bin",
                                   "/bin/x",
                                   "/boot/efi",
                                   "/dev/shm",
                                   "/etc",
                                   "/etc/ssh",
                                   "/etc/systemd",
                                   "/home",
                                   "/lib",
                                   "/lib/x86_64-linux-gnu",
                                   "/lib64",
                                   "/proc/sys",
                                   "/root",
                                   "/run",
                                   "/run/systemd",
                                   "/run/user",
                                   "/sbin",
                                   "/sys/fs/cgroup",
                                   "/usr",
                                   "/usr/bin",
                                   "/usr/lib",
                                   "/usr/lib64",
                                   "/usr/lib/systemd/system",
                                   "/usr/libexec",
                                   "/usr/sbin",
                                   "/usr/share",
                                   "/usr/share/zoneinfo",
                                   "/var",
                                   "/var/cache",
                                   "/var/lib",
                                   "/var/lib/dpkg/info",
                                   "/var/lib/cloud",
                                   "/var/lib/systemd",
                                   "/var/log",
                                   "/var/log/journal",
                                   "/var/run",
                                   "/var/spool",
                                   "/var/tmp"}) {
    CAPTURE(folder);
    CHECK(hides_the_guest(folder));
  }
}

TEST_CASE("a share is mounted where users and services have their own") {
  for (const std::string folder : {"/binaries",
                                   "/data",
                                   "/etc/nginx",
                                   "/etc/ssl/private/mine",
                                   "/etc/s",
                                   "/home/debian",
                                   "/home/debian/src",
                                   "/lib/modules",
                                   "/lib/modules/6.1.0",
                                   "/media",
                                   "/mnt",
                                   "/mnt/etc",
                                   "/opt",
                                   "/opt/usr/bin",
                                   "/root/src",
                                   "/run/secrets",
                                   "/run/user/1000/x",
                                   "/srv",
                                   "/srv/data",
                                   "/usr/lib/firmware",
                                   "/usr/local",
                                   "/usr/local/bin",
                                   "/usr/share/nginx/html",
                                   "/usr/share/mine",
                                   "/usr/src",
                                   "/var/lib/postgresql/data",
                                   "/var/lib/docker",
                                   "/var/log/app",
                                   "/var/opt",
                                   "/var/www/html",
                                   "/variable",
                                   "/work"}) {
    CAPTURE(folder);
    CHECK_FALSE(hides_the_guest(folder));
  }
}

}  // namespace vmr::test
