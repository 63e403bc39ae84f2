// SPDX-License-Identifier: MIT
#include "spec/guest.hpp"
#include "spec/password.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/public_key.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

constexpr auto unsupported = ExitStatus::host_unsupported;
const std::string no_guest =
    "no guest: set BASE_IMAGE, or make the demo guest with scripts/build-guest";

Host host_with_files() {
  auto host = docker_host();
  host.files = {{"/boot/vmlinuz", regular_file()},
                {"/boot/initrd", regular_file()},
                {"/boot", folder()},
                {"/locked", {FileFacts::Kind::regular, false, false}}};
  return host;
}

/// As if BASE_IMAGE named this.
Host host_with_guest(const GuestImage& guest) {
  auto host = host_with_files();
  host.guest = guest;
  return host;
}

TEST_CASE("a disk whose changes have no place") {
  auto host = docker_host();
  host.temporary_folder = "/var/tmp";
  host.has_temporary_folder = false;
  CHECK(judge({}, host) ==
        Verdict{{{"QEMU keeps the changes of the disk in /var/tmp, which cannot be written", "",
                  "mount something there (docker run --tmpfs /var/tmp), set TMPDIR to another "
                  "folder, or keep the changes with PERSIST=1",
                  ExitStatus::host_unsupported}},
                {}});
  CHECK(judge({"PERSIST=1", "GUEST_PASSWORD=x"}, host) == Verdict{});
}

TEST_CASE("the default guest") {
  const auto spec = spec_of({}, docker_host());
  CHECK(spec.boot == Boot{"/guest/vmlinuz", "/guest/initrd", "root=/dev/vda"});
  CHECK(spec.disk == Disk{"/guest/disk.qcow2", "qcow2", ""});
  CHECK(spec.login_user == "debian");
}

TEST_CASE("a bare kernel has nothing of the default guest") {
  const auto resolved = resolve_settings(
      {"KERNEL=/boot/vmlinuz", "INITRD=/boot/initrd", "CMDLINE=console=ttyS0 $(x) a,b"},
      host_with_files());
  CHECK(resolved.problems.empty());
  CHECK(resolved.warnings.empty());
  CHECK(resolved.spec.boot == Boot{"/boot/vmlinuz", "/boot/initrd", "console=ttyS0 $(x) a,b"});
  CHECK(resolved.spec.disk == std::nullopt);
  CHECK(resolved.spec.login_user.empty());
}

TEST_CASE("another kernel for a base image") {
  const auto host = host_with_guest(*docker_host().guest);
  const auto spec = spec_of({"BASE_IMAGE=/guest", "KERNEL=/boot/vmlinuz"}, host);
  CHECK(spec.boot == Boot{"/boot/vmlinuz", "", "root=/dev/vda"});
  CHECK(spec.disk == Disk{"/guest/disk.qcow2", "qcow2", ""});
  CHECK(spec_of({"INITRD=/boot/initrd", "CMDLINE=quiet"}, host).boot ==
        Boot{"/guest/vmlinuz", "/boot/initrd", "root=/dev/vda quiet"});
}

TEST_CASE("a disk image boots itself") {
  const auto host = host_with_guest({"d", "", "", "/d.img", "raw", "", ""});
  const auto spec = spec_of({"BASE_IMAGE=/d.img"}, host);
  CHECK(spec.boot == Boot{});
  CHECK(spec.disk == Disk{"/d.img", "raw", ""});
}

TEST_CASE("initrd and command line need a kernel") {
  const auto host = host_with_guest({"d", "", "", "/d.img", "raw", "", ""});
  const std::string hint = "set KERNEL, or a BASE_IMAGE folder with a guest.toml";
  CHECK(judge({"BASE_IMAGE=/d.img", "INITRD=/boot/initrd", "CMDLINE=quiet"}, host) ==
        Verdict{{{"INITRD='/boot/initrd': only used with a kernel", "INITRD (environment)", hint},
                 {"CMDLINE='quiet': only used with a kernel", "CMDLINE (environment)", hint}},
                {}});
}

TEST_CASE("a guest.toml with a command line and no kernel is no fault of the user") {
  CHECK(judge({"BASE_IMAGE=/d"}, host_with_guest({"d", "", "", "/d.img", "raw", "quiet", ""})) ==
        Verdict{});
}

TEST_CASE("kernel and initrd are readable files") {
  struct Row {
    std::string path;
    std::string reason;
    std::string hint;
    ExitStatus status;
  };
  const std::vector<Row> rows = {
      {"/none", "no such file", "correct the path", ExitStatus::usage},
      {"/boot", "not a regular file", "name the file itself", ExitStatus::usage},
      {"/locked", "the file cannot be read by this user",
       "change its owner or mode, or run as its owner", unsupported}};
  for (const auto& row : rows) {
    CHECK(judge({"KERNEL=" + row.path, "INITRD=" + row.path}, host_with_files()) ==
          Verdict{{{"KERNEL='" + row.path + "': " + row.reason, "KERNEL (environment)", row.hint,
                    row.status},
                   {"INITRD='" + row.path + "': " + row.reason, "INITRD (environment)", row.hint,
                    row.status}},
                  {}});
  }
}

TEST_CASE("a base image that cannot be used") {
  auto host = docker_host();
  host.guest.reset();
  host.guest_problem = "a folder without a guest.toml";
  CHECK(judge({"BASE_IMAGE=/x", "PERSIST=1", "GUEST_PASSWORD=x"}, host) ==
        Verdict{{{"BASE_IMAGE='/x': a folder without a guest.toml", "BASE_IMAGE (environment)",
                  "name a disk image, or a folder with a guest.toml (scripts/build-guest makes "
                  "one)"}},
                {}});
}

TEST_CASE("no guest at all is only a warning") {
  auto host = docker_host();
  host.guest.reset();
  CHECK(judge({}, host) == Verdict{{}, {no_guest}});
}

TEST_CASE("a disk that is kept") {
  const auto place = [](const Strings& settings) {
    return spec_of(settings, docker_host()).disk->persistent;
  };
  CHECK(place({"PERSIST=1", "GUEST_PASSWORD=x"}) == "/root/.local/share/vm-runner/vm.qcow2");
  CHECK(place({"PERSIST=1", "GUEST_PASSWORD=x", "DATA_DIR=a, b", "GUEST_NAME=web"}) ==
        "/work/a, b/web.qcow2");
  CHECK(judge({"PERSIST=1", "GUEST_PASSWORD=x", "KERNEL=/boot/vmlinuz"}, host_with_files()) ==
        Verdict{{{"PERSIST='1': there is no disk to keep", "PERSIST (environment)",
                  "set BASE_IMAGE to a disk image"}},
                {}});
}

TEST_CASE("a password is made only when nobody said how to log in") {
  const auto made = spec_of({}, docker_host());
  CHECK(made.generated_password == "0123456789ab");
  CHECK(
      made.cloud_init ==
      CloudInit{"", hash_password("0123456789ab", "0123456789abcdef", PasswordMaker::machine), {}});

  const auto given = spec_of({"GUEST_PASSWORD=pa'ss, \"w\\ord\" \xc3\xbc"}, docker_host());
  CHECK(given.generated_password.empty());
  CHECK(given.cloud_init ==
        CloudInit{"", hash_password("pa'ss, \"w\\ord\" \xc3\xbc", "0123456789abcdef"), {}});

  const auto key = spec_of({"SSH_PUBKEY=" + ed25519_key + " me@here"}, docker_host());
  CHECK(key.generated_password.empty());
  CHECK(key.cloud_init == CloudInit{"", "", {ed25519_key + " me@here"}});

  auto host = docker_host();
  host.user_data = "#cloud-config\nusers: []\n";
  const auto own = spec_of({"CLOUD_INIT_USER_DATA=/u"}, host);
  CHECK(own.generated_password.empty());
  CHECK(own.cloud_init == CloudInit{"#cloud-config\nusers: []\n", "", {}});
}

TEST_CASE("public keys one a line") {
  CHECK(spec_of({"SSH_PUBKEY=# mine\n" + ed25519_key + " a\r\n\n  \n" + ecdsa_key + "  \n"},
                docker_host())
            .cloud_init->ssh_keys == Strings{ed25519_key + " a", ecdsa_key});
}

TEST_CASE("what is no public key is named by its line and not shown") {
  const std::string hint =
      "give the contents of a .pub file, for instance \"$(cat ~/.ssh/id_ed25519.pub)\"";
  CHECK(judge({"SSH_PUBKEY=\n-----BEGIN OPENSSH PRIVATE KEY-----\nssh-rsa"}, docker_host()) ==
        Verdict{{{"SSH_PUBKEY: line 2 begins a private key", "SSH_PUBKEY (environment)",
                  "keep that to yourself: " + hint}},
                {}});
  CHECK(
      judge({"SSH_PUBKEY=ssh-rsa\nkey"}, docker_host()) ==
      Verdict{{{"SSH_PUBKEY: line 1 has no key behind its type", "SSH_PUBKEY (environment)", hint},
               {"SSH_PUBKEY: line 2 is not an SSH public key", "SSH_PUBKEY (environment)", hint}},
              {}});
}

TEST_CASE("a value without any key makes no login in silence") {
  const auto resolved = resolve_settings({"SSH_PUBKEY=# me@here"}, docker_host());
  CHECK(
      Verdict{resolved.problems, resolved.warnings} ==
      Verdict{{{"SSH_PUBKEY: there is no key in it, only comments or blanks",
                "SSH_PUBKEY (environment)",
                "give the contents of a .pub file, for instance \"$(cat ~/.ssh/id_ed25519.pub)\", "
                "or leave it out"}},
              {}});
}

TEST_CASE("without cloud-init nothing mounts the shares") {
  CHECK(judge({"CLOUD_INIT=0"}, docker_host()) == Verdict{});
  const auto resolved =
      resolve_settings({"CLOUD_INIT=0", "FILESYSTEM_SOURCE=/share"}, docker_host());
  CHECK(Verdict{resolved.problems, resolved.warnings} ==
        Verdict{{},
                {"CLOUD_INIT is off: the guest is not told to mount its shares; mount them by hand "
                 "(mount -t virtiofs TAG DIR, or mount -t 9p -o trans=virtio TAG DIR)"}});
  CHECK(resolved.spec.cloud_init == std::nullopt);
  CHECK(resolved.spec.generated_password.empty());
}

TEST_CASE("user-data that cannot be read") {
  auto host = docker_host();
  host.user_data_problem = "the file cannot be read";
  CHECK(judge({"CLOUD_INIT_USER_DATA=/none"}, host) ==
        Verdict{{{"CLOUD_INIT_USER_DATA='/none': the file cannot be read",
                  "CLOUD_INIT_USER_DATA (environment)",
                  "name a readable file with cloud-init user-data"}},
                {}});
}

TEST_CASE("settings that only cloud-init would read are worth a warning without it") {
  CHECK(judge({"CLOUD_INIT=0", "GUEST_PASSWORD=x", "SSH_PUBKEY=y", "CLOUD_INIT_USER_DATA=/z"},
              docker_host()) == Verdict{{},
                                        {"CLOUD_INIT is off: GUEST_PASSWORD has no effect",
                                         "CLOUD_INIT is off: SSH_PUBKEY has no effect",
                                         "CLOUD_INIT is off: CLOUD_INIT_USER_DATA has no effect"}});
}

TEST_CASE("a random password is not put on a disk that is kept") {
  CHECK(judge({"PERSIST=1"}, docker_host()) ==
        Verdict{{{"PERSIST='1': a password made for this run would be lost, and the disk would "
                  "keep it",
                  "PERSIST (environment)", "set GUEST_PASSWORD or SSH_PUBKEY"}},
                {}});
}

TEST_CASE("user-data that turns our vendor-data off is refused when there are shares") {
  auto host = docker_host();
  host.user_data = "#cloud-config\nvendor_data: {enabled: false}\n";
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u"}, host) == Verdict{});
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u", "FILESYSTEM_SOURCE=/share"}, host) ==
        Verdict{{{"CLOUD_INIT_USER_DATA='/u': it turns vendor-data off, so the guest would not "
                  "mount its shares",
                  "CLOUD_INIT_USER_DATA (environment)",
                  "take 'vendor_data: {enabled: false}' out of it, or set CLOUD_INIT=0 and mount "
                  "the shares by hand"}},
                {}});
}

// As `openssl passwd -6 -salt saltstring` has it, and crypt(3).
TEST_CASE("a password hash is what crypt reads") {
  CHECK(hash_password("Hello world!", "saltstring") ==
        "$6$saltstring$"
        "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1");
  CHECK(hash_password("Hello world!", "saltstring", PasswordMaker::machine) ==
        "$6$rounds=1000$saltstring$"
        "Zu2Vknok2/f53APfN687ADnzeNBLcsEgTwvcBHMD2./07rZQAt8vsuKVufD15dyZh.LOLB/uZKf6I3GyON4bp/");
}

TEST_CASE("a password that is too long for crypt") {
  CHECK(judge({"GUEST_PASSWORD=" + std::string(511, 'p')}, docker_host()) == Verdict{});
  CHECK(judge({"GUEST_PASSWORD=" + std::string(512, 'p')}, docker_host()) ==
        Verdict{{{"GUEST_PASSWORD: longer than 511 bytes", "GUEST_PASSWORD (environment)",
                  "choose a shorter one"}},
                {}});
  try {
    hash_password(std::string(5000, 'p'), "saltstring");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(format(error) ==
          "error: the password cannot be hashed\n"
          "  cause: crypt(3) refused it\n"
          "  hint:  choose a shorter GUEST_PASSWORD (at most 511 bytes)\n");
    CHECK(error.status == ExitStatus::usage);
  }
}

}  // namespace
}  // namespace vmr::test
