// SPDX-License-Identifier: MIT
// A disk that is kept, with qemu-img's own images.
#include "host/capture.hpp"
#include "host/environment.hpp"
#include "host/probe_container.hpp"
#include "host/programs.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool qemu_img(const Words& words) {
  auto argv = words;
  argv.insert(argv.begin(), find_in_path("qemu-img"));
  return capture(argv).ok;
}

bool has_qemu_img() {
  const bool is_there = !find_in_path("qemu-img").empty();
  if (!is_there) MESSAGE("SKIPPED: there is no qemu-img here");
  return is_there;
}

/// A host with an image and a setting to keep what the guest writes. What it keeps is in memory,
/// which a container does not lose with its layers.
class KeepingHost : public FakeHost {
 public:
  KeepingHost() {
    fs::create_directory(data_);
    REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", image(), "64M"}));
  }
  ~KeepingHost() { fs::remove_all(data_); }

  [[nodiscard]] std::string image() const { return *this / "base.qcow2"; }
  [[nodiscard]] std::string disk() const { return data_ + "/vm.qcow2"; }
  [[nodiscard]] Launcher::Variables keep(const Launcher::Variables& more = {}) const {
    return join({{"FAKE_QEMU", "poweroff"},
                 {"BASE_IMAGE", image()},
                 {"PERSIST", "1"},
                 {"PERSIST_BASE", "overlay"},
                 {"DATA_DIR", data_}},
                more);
  }
  /// The disk that QEMU was started with.
  [[nodiscard]] std::string drive() const {
    const auto argv = argv_of("qemu");
    const auto found = std::find_if(argv.begin(), argv.end(), [](const std::string& word) {
      return word.starts_with("if=none,id=disk,");
    });
    return found == argv.end() ? std::string() : *found;
  }

 private:
  std::string data_ = fmt::format("/dev/shm/vm-runner-test-{}", ::getpid());
};

/// A text that makes QEMU open `path`, with the mark of a partition table.
std::string disguised_image(const std::string& path) {
  auto image = fmt::format(
      "#\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
      "RW 8 FLAT \"{}\" 0\n",
      path);
  image.resize(1 << 20);
  return image.replace(512, 8, "EFI PART");
}

/// Takes the format of the image behind it out of a header.
void forget_format(const std::string& path) {
  auto bytes = read_text(path);
  const auto extension = bytes.find("\xe2\x79\x2a\xca");
  REQUIRE(extension != bytes.npos);
  bytes[extension] = '\x12';
  write_text(path, bytes);
}

/// Puts a qemu-img before the real one that writes down what it is told; gives that file.
std::string watch_qemu_img(const FakeHost& host) {
  write_text(host / "bin/qemu-img", fmt::format("#!/bin/sh\necho \"$*\" >>'{}'\nexec {} \"$@\"\n",
                                                host / "told", find_in_path("qemu-img")));
  fs::permissions(host / "bin/qemu-img", fs::perms::owner_all);
  return host / "told";
}

bool says(const Finished& finished, const std::string& text) {
  return finished.log.find(text) != std::string::npos;
}

TEST_CASE("a disk is made once, and goes on over the image by its name") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  CHECK(host.run(host.keep()).status == 0);
  struct stat facts {};
  REQUIRE(::stat((host.disk() + ".base").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  const auto record = read_text(host.disk() + ".base");
  CHECK(record.starts_with("vm-runner-disk-1\nkind overlay\nimage qcow2 "));
  CHECK(record.ends_with(" " + host.image() + "\n"));
  const auto drive = fmt::format(
      "if=none,id=disk,file.driver=file,file.filename={},format=qcow2,backing.driver=qcow2,"
      "backing.file.driver=file,backing.file.filename={}",
      host.disk(), host.image());
  CHECK(host.drive() == drive);
  // A guest that could write it names another file there.
  REQUIRE(qemu_img({"rebase", "-u", "-b", "/etc/shadow", "-F", "raw", host.disk()}));
  const auto again = host.run(host.keep());
  CHECK(again.status == 0);
  CHECK(says(again, "names '/etc/shadow' behind it; what was recorded counts"));
  CHECK(host.drive() == drive);
}

TEST_CASE("over an image that is made anew nothing starts, and nothing is written") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  CHECK(host.run(host.keep()).status == 0);
  const auto before = read_text(host.disk());
  const auto starts = host.starts_of("qemu");
  REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", host.image(), "65M"}));
  const auto changed = host.run(host.keep());
  CHECK(changed.status == 2);
  CHECK(says(changed, "was made over '" + host.image() + "' as it was then"));
  Launcher doctor(host.settings(host.keep()), {"doctor"});
  const auto told = host.finish(doctor);
  CHECK(told.status == 2);
  CHECK(told.output.find("as it was then") != std::string::npos);
  fs::remove(host.image());
  const auto gone = host.run(host.keep());
  CHECK(gone.status == 2);
  CHECK(says(gone, host.image() + "': no such file"));
  CHECK(says(gone, "the persistent disk '" + host.disk() + "' was made over"));
  CHECK(host.starts_of("qemu") == starts);
  CHECK(read_text(host.disk()) == before);
}

TEST_CASE("a copy goes on without its image, with the kernel of its guest") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  fs::create_directory(host / "guest");
  fs::copy_file(host.image(), host / "guest/disk");
  fs::copy_file(host / "kernel", host / "guest/vmlinux");
  write_text(host / "guest/guest.toml", "kernel = 'vmlinux'\ndisk = 'disk'\ncmdline = 'quiet'\n");
  const auto settings = host.keep({{"BASE_IMAGE", host / "guest"}, {"PERSIST_BASE", "copy"}});
  CHECK(host.run(settings).status == 0);
  CHECK(read_text(host.disk() + ".base").find("kind copy\n") != std::string::npos);
  CHECK(read_text(host.disk()) == read_text(host.image()));
  REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", host / "guest/disk", "65M"}));
  write_text(host / "guest/guest.toml", "kernel = 'vmlinux'\ndisk = 'disk'\ncmdline = 'newer'\n");
  CHECK(host.run(settings).status == 0);
  CHECK(host.drive() == fmt::format("if=none,id=disk,file.driver=file,file.filename={},"
                                    "format=qcow2",
                                    host.disk()));
  const auto argv = host.argv_of("qemu");
  const auto kernel = std::find(argv.begin(), argv.end(), "-kernel");
  REQUIRE(kernel != argv.end());
  CHECK(*(kernel + 1) == host.disk().substr(0, host.disk().rfind('.')) + ".kernel");
  CHECK(std::find(argv.begin(), argv.end(), "quiet") != argv.end());
}

TEST_CASE("a raw image, or one with images behind it, is copied whole") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  REQUIRE(qemu_img(
      {"create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", host.image(), host / "top.qcow2"}));
  const auto settings = host.keep({{"BASE_IMAGE", host / "top.qcow2"}, {"PERSIST_BASE", "copy"}});
  CHECK(host.run(settings).status == 0);
  const auto info =
      capture({find_in_path("qemu-img"), "info", "--backing-chain", "--output=json", host.disk()});
  CHECK(info.output.find("backing-filename") == std::string::npos);
}

TEST_CASE("qemu-img opens no image that is refused") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  fs::create_directory(host / "vms");
  write_text(host / "secret", std::string(4096, 's'));
  write_text(host / "vms/inner.img", disguised_image(host / "secret"));
  const auto make = [&](const std::string& name, const std::string& behind, const char* format) {
    REQUIRE(qemu_img({"create", "-q", "-u", "-f", "qcow2", "-F", format, "-b", behind,
                      host / "vms/" + name, "1M"}));
  };
  make("disguised", "inner.img", "raw");
  forget_format(host / "vms/disguised");
  make("outside", host.image(), "qcow2");
  make("linked", "link", "raw");
  fs::create_symlink(host / "secret", host / "vms/link");
  make("json", "json:{\"driver\":\"file\"}", "raw");
  REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + (host / "vms/data"),
                    host / "vms/data-file", "1M"}));
  const auto told = watch_qemu_img(host);
  for (const auto* name : {"disguised", "outside", "linked", "json", "data-file"}) {
    for (const auto* kind : {"copy", "overlay"}) {
      CAPTURE(name);
      CAPTURE(kind);
      const auto refused =
          host.run(host.keep({{"BASE_IMAGE", host / "vms/" + name}, {"PERSIST_BASE", kind}}));
      CHECK(refused.status == 2);
      CHECK_FALSE(fs::exists(told));
      CHECK_FALSE(fs::exists(host.disk()));
    }
  }
}

TEST_CASE("an own disk that QEMU would take for another format is raw only when it is called so") {
  const FakeHost host;
  write_text(host / "inner.img", disguised_image("/etc/shadow"));
  const auto run = [&](const std::string& more) {
    return host.run(
        {{"FAKE_QEMU", "poweroff"}, {"EXTRA_ARGS", "-drive file=" + (host / "inner.img") + more}});
  };
  const auto refused = run(",if=virtio");
  CHECK(refused.status == 2);
  CHECK(says(refused, "its format may name other files in ways that only QEMU reads"));
  CHECK(run(",if=virtio,format=raw").status == 0);
}

TEST_CASE("qemu-img is given each image and its format, whatever the headers say") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  std::string raw(1 << 20, 'r');
  raw.replace(510, 2, "\x55\xaa");
  write_text(host / "raw", raw);
  const auto top = host / "top.qcow2";
  REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", "-F", "raw", "-b", host / "raw", top}));
  forget_format(top);
  const auto told = watch_qemu_img(host);
  CHECK(host.run(host.keep({{"BASE_IMAGE", top}, {"PERSIST_BASE", "copy"}})).status == 0);
  const auto chain = fmt::format(
      "driver=qcow2,file.filename={},backing.driver=raw,backing.file.driver=file,"
      "backing.file.filename={}",
      top, host / "raw");
  CHECK(read_text(told) == fmt::format("measure --output=json -O qcow2 --image-opts {0}\n"
                                       "convert -q --image-opts {0} -O qcow2 disk\n",
                                       chain));
  REQUIRE(qemu_img({"convert", "-f", "qcow2", "-O", "raw", host.disk(), host / "copied"}));
  CHECK(read_text(host / "copied") == raw);

  fs::remove(host.disk());
  fs::remove(host.disk() + ".base");
  fs::remove(told);
  fs::resize_file(host / "raw", 1000);
  CHECK(host.run(host.keep({{"BASE_IMAGE", host / "raw"}})).status == 0);
  CHECK(read_text(told) ==
        fmt::format("create -q -u -f qcow2 -F raw -b {} disk 1024\n", host / "raw"));
}

TEST_CASE("a disk from an earlier version is taken over with a word") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  REQUIRE(
      qemu_img({"create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", host.image(), host.disk()}));
  const auto adopted = host.run(host.keep());
  CHECK(adopted.status == 0);
  CHECK(says(adopted, "has no record of the image it was made over"));
  const auto second = host.run(host.keep());
  CHECK(second.status == 0);
  CHECK_FALSE(says(second, "has no record"));
}

TEST_CASE("a disk is made where nobody else can put a link in its way") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  const auto folder = host.disk() + ".new";
  write_text(host / "victim", "precious");
  // As somebody who may write into DATA_DIR, just before qemu-img opens its file.
  write_text(host / "bin/qemu-img",
             fmt::format("#!/bin/sh\nif [ \"$1\" = create ]; then\n  mv '{0}' '{0}.moved'\n"
                         "  ln -s '{1}' '{0}'\nfi\nexec {2} \"$@\"\n",
                         folder, host / "victim", find_in_path("qemu-img")));
  fs::permissions(host / "bin/qemu-img", fs::perms::owner_all);
  CHECK(host.run(host.keep()).status == 0);
  CHECK(read_text(host / "victim") == "precious");
  CHECK(fs::is_regular_file(fs::symlink_status(host.disk())));
  CHECK(qemu_img({"check", "-q", host.disk()}));
  fs::remove(host / "bin/qemu-img");

  fs::remove(host.disk());
  fs::remove(folder);
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::all);
  const auto open = host.run(host.keep());
  CHECK(open.status == 1);
  CHECK(says(open, folder + ": Operation not permitted"));
}

bool is_root() {
  const bool is = ::geteuid() == 0;
  if (!is) MESSAGE("SKIPPED: this needs root");
  return is;
}

void give_to(int uid, const std::string& path) {
  REQUIRE(::lchown(path.c_str(), static_cast<uid_t>(uid), static_cast<gid_t>(uid)) == 0);
}

constexpr int other = 1234;

TEST_CASE("what another user put into its own HOME decides nothing of root's VM") {
  if (!has_qemu_img() || !is_root()) return;
  const KeepingHost host;
  const auto home = fs::path(host.disk()).parent_path() / "it's a \"home\"";
  const auto data = home / ".local/share/vm-runner";
  fs::create_directories(data);
  const auto secret = host / "root.qcow2";
  REQUIRE(qemu_img({"create", "-q", "-f", "qcow2", secret, "64M"}));
  fs::permissions(secret, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink(secret, data / "vm.qcow2");
  fs::create_symlink("/etc/shadow", data / "vm.initrd");
  write_text(data / "vm.kernel", "k");
  write_text(data / "vm.qcow2.base", "vm-runner-disk-1\nkind copy\ncmdline evil\n");
  for (const auto& entry : fs::recursive_directory_iterator(home)) give_to(other, entry.path());
  give_to(other, home);
  const auto settings = host.keep({{"DATA_DIR", ""}, {"HOME", home.string()}});
  const auto told = host.run(settings);
  CHECK(told.status == 2);
  CHECK(says(told, fmt::format("'{}' belongs to user 1234, and so somebody else could choose",
                               home.string())));
  // Named, the folder may be theirs, and what is in it not.
  const auto named = host.keep({{"DATA_DIR", data.string()}});
  const auto link = host.run(named);
  CHECK(link.status == 2);
  CHECK(says(link, "vm.qcow2' is a symbolic link that somebody else could choose"));
  fs::remove(data / "vm.qcow2");
  fs::copy_file(secret, data / "vm.qcow2");
  const auto record = host.run(named);
  CHECK(record.status == 2);
  CHECK(says(record, "vm.qcow2.base' belongs to user 1234, and so somebody else could choose it"));
  CHECK(host.starts_of("qemu") == 0);
  for (const std::string name : {"vm.qcow2.base", "vm.qcow2"}) fs::remove(data / name);
  CHECK(host.run(named).status == 0);
  CHECK(fs::is_regular_file(data / "vm.qcow2"));
  CHECK(host.run(named).status == 0);
}

TEST_CASE("a folder that everybody may write to keeps no disk, unless it is like /tmp") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  const auto data = fs::path(host.disk()).parent_path();
  fs::permissions(data, fs::perms::all);
  // Where the tests run in a container, it is a volume, and no other users are there.
  if (find_surroundings("", environment) == Surroundings::machine) {
    const auto told = host.run(host.keep());
    CHECK(told.status == 2);
    CHECK(says(told, fmt::format("others may write to '{}' (mode 0777)", data.string())));
    CHECK(fs::is_empty(data));
  }
  fs::permissions(data, fs::perms::all | fs::perms::sticky_bit);
  CHECK(host.run(host.keep()).status == 0);
  CHECK(host.run(host.keep()).status == 0);
}

TEST_CASE("a link of one's own leads to the disk, and the folder that is made is closed") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  const auto data = fs::path(host.disk()).parent_path();
  const auto below = data / "a/b";
  const auto settings = host.keep({{"DATA_DIR", below.string()}});
  CHECK(host.run(settings).status == 0);
  for (const auto& folder : {below, below.parent_path()}) {
    CHECK(fs::status(folder).permissions() == fs::perms::owner_all);
  }
  fs::rename(below / "vm.qcow2", data / "elsewhere");
  fs::create_symlink("../../elsewhere", below / "vm.qcow2");
  CHECK(host.run(settings).status == 0);
  CHECK(fs::is_symlink(below / "vm.qcow2"));
  fs::create_directory_symlink(below, data / "link");
  CHECK(host.run(host.keep({{"DATA_DIR", data / "link"}})).status == 0);
}

TEST_CASE("changes that are dropped are in a folder of QEMU's own") {
  if (!has_qemu_img()) return;
  const KeepingHost host;
  fs::create_directory(host / "tmp");
  const auto seen =
      host.run({{"FAKE_QEMU", "poweroff"}, {"BASE_IMAGE", host.image()}, {"TMPDIR", host / "tmp"}});
  CHECK(seen.status == 0);
  CHECK(host.place_of("qemu").at(2).starts_with(host / "tmp/vm-runner-"));
  CHECK(fs::is_empty(host / "tmp"));
}

}  // namespace
}  // namespace vmr::test
