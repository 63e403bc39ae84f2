// SPDX-License-Identifier: MIT
#include "support/hosts.hpp"

namespace vmr::test {

FileFacts folder() {
  return {FileFacts::Kind::directory, true, false, {1000, 1000}, 0755};
}

FileFacts regular_file() {
  return {FileFacts::Kind::regular, true, false, {}, 0644};
}

Host docker_host() {
  Host host;
  host.uid = 0;
  host.is_pid_1 = true;
  host.surroundings = Surroundings::docker;
  host.own_network = true;
  host.home = "/root";
  host.working_folder = "/work";
  host.runtime_folder = "/run/vm-runner";
  host.short_runtime_folder = "/tmp/vm-runner-0";
  host.temporary_folder = "/var/tmp";
  host.kvm = {KvmFacts::State::opens, ""};
  host.qemu = "/usr/bin/qemu-system-x86_64";
  host.virtiofsd = VirtiofsdFacts{"/usr/libexec/virtiofsd",
                                  VirtiofsdFacts::Family::rust,
                                  true,
                                  true,
                                  true,
                                  true,
                                  true,
                                  false,
                                  true};
  host.abilities.chroot = true;
  host.other_user = true;
  host.landlock = 3;
  host.open_files_limit = 1048576;
  host.guest = GuestImage{"demo",  "/guest/vmlinuz", "/guest/initrd", "/guest/disk.qcow2",
                          "qcow2", "root=/dev/vda",  "debian"};
  host.free_ssh_port = 2222;
  host.random = "0123456789abcdef0123456789abcdef";
  host.files = {{"/share", folder()}};
  return host;
}

Host debian_12_host() {
  Host host = docker_host();
  host.is_pid_1 = host.own_network = false;
  host.surroundings = Surroundings::machine;
  host.virtiofsd = VirtiofsdFacts{
      "/usr/lib/qemu/virtiofsd", VirtiofsdFacts::Family::c, false, false, false, false, true, true};
  host.abilities = {true, true, true, false, true};
  return host;
}

Host ordinary_user() {
  Host host = docker_host();
  host.uid = host.gid = 1000;
  host.is_pid_1 = host.other_user = host.own_network = false;
  host.surroundings = Surroundings::machine;
  host.home = "/home/me";
  host.working_folder = "/home/me/src";
  host.runtime_folder = "/run/user/1000/vm-runner";
  host.short_runtime_folder = "/tmp/vm-runner-1000";
  host.abilities = {false, true, false, true, false};
  host.files = {{"/share", folder()}, {"/home/me/src", folder()}};
  return host;
}

}  // namespace vmr::test
