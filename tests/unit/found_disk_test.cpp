// SPDX-License-Identifier: MIT
// Which disk, record and kernel that are found are taken: those that nobody else could have put
// there.
#include "support/kept_disk.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

using Kind = FileContents::Kind;

TEST_CASE("a disk that is found is taken only if nobody else could have put it there") {
  auto host = machine_with_disk(record_of_base());
  // Also of a QEMU of this version, and of one before.
  for (const std::uint32_t uid : {0U, 60706U, 61183U, 65519U}) {
    host.files[kept].owner = {uid, 1};
    CHECK(judge(settings, host) == Verdict{});
  }
  host.files[kept].owner = {1000, 0};
  CHECK(judge(settings, host) ==
        refused("the persistent disk '/data/vm.qcow2' belongs to user 1000, and what is written "
                "there could be another file of theirs",
                "if it is yours, chown 0 /data/vm.qcow2; " + anew));
  CHECK(judge(with({"QEMU_USER=1000:1000"}), host) == Verdict{});
  host.files[kept].owner = {};
  host.files[kept].names = 2;
  CHECK(judge(settings, host) ==
        refused("the persistent disk '/data/vm.qcow2' is also another file: it has 2 names (hard "
                "links)",
                "remove the others, or make a copy and put it in its place; " + anew));
}

/// What is said of the folder, or of a file in it.
Verdict somebody_elses(const std::string& reason, const std::string& hint) {
  return {{{"DATA_DIR='/data': " + reason, "DATA_DIR (environment)",
            hint + ", or set DATA_DIR to a folder that nobody but you and root may write to"}},
          {}};
}

TEST_CASE("in a folder that somebody else may change no disk is taken, and none is made") {
  auto said = somebody_elses(
      "others may write to '/data' (mode 0777), and so somebody else could choose the persistent "
      "disk and its kernel",
      "chown or chmod what is named here");
  said.problems.front().hint += "; ALLOW_OPEN_DATA_DIR=1 takes it as it is";
  for (auto host : {machine(), machine_with_disk(record_of_base())}) {
    host.files["/data"].stranger = "others may write to '/data' (mode 0777)";
    CHECK(judge(settings, host) == said);
    CHECK(judge(with({"ALLOW_OPEN_DATA_DIR=1"}), host).problems.empty());
    // An engine gives a volume what modes it likes, and a container has no other users.
    host.surroundings = Surroundings::kubernetes;
    CHECK(judge(settings, host).problems.empty());
  }
}

TEST_CASE("below a HOME that is somebody else's no disk is taken") {
  auto host = machine();
  host.home = "/home/me";
  host.files["/home/me/.local/share/vm-runner"].stranger = "'/home/me' belongs to user 1234";
  const Strings without_folder = {settings[0], settings[1], settings[3]};
  const std::string reason =
      "'/home/me' belongs to user 1234, and so somebody else could choose the persistent disk and "
      "its kernel";
  const std::string hint =
      "chown or chmod what is named here, or set DATA_DIR to a folder that nobody but you and root "
      "may write to (this one is chosen by HOME, '/home/me'); ALLOW_OPEN_DATA_DIR=1 takes it as it "
      "is";
  CHECK(judge(without_folder, host) ==
        Verdict{
            {{"DATA_DIR='/home/me/.local/share/vm-runner': " + reason, "DATA_DIR (default)", hint}},
            {}});
  auto from_home = without_folder;
  from_home.emplace_back("DATA_DIR=~/.local/share/vm-runner");
  CHECK(judge(from_home, host) == Verdict{{{"DATA_DIR='~/.local/share/vm-runner': " + reason,
                                            "DATA_DIR (environment)", hint}},
                                          {}});
}

TEST_CASE("a link to a disk counts only where nobody else could have made it") {
  auto host = machine_with_disk(record_of_base());
  host.files[kept].stranger = "'/data/vm.qcow2' belongs to user 1234";
  const auto said = somebody_elses(
      "the persistent disk '/data/vm.qcow2' is a symbolic link that somebody else could choose: "
      "'/data/vm.qcow2' belongs to user 1234",
      "put the file itself there");
  CHECK(judge(settings, host) == said);
  // Also one to what is not there.
  host.files[kept].kind = FileFacts::Kind::missing;
  CHECK(judge(settings, host) == said);
}

TEST_CASE("a record, a kernel and an initrd count only where a launcher put them") {
  auto record = record_of_base();
  record.is_copy = true;
  record.kernel = "/data/vm.kernel";
  record.initrd = "/data/vm.initrd";
  auto sound = machine_with_disk(record);
  const std::vector<std::pair<std::string, std::string>> files = {
      {"record", "/data/vm.qcow2.base"}, {"kernel", record.kernel}, {"initrd", record.initrd}};
  for (const auto& [name, path] : files) sound.files[path] = regular_file();
  CHECK(judge(settings, sound) == Verdict{});
  for (const auto& [name, path] : files) {
    CAPTURE(name);
    const auto what = fmt::format("the {} of the persistent disk '{}' ", name, path);
    auto host = sound;
    host.files[path].owner = {1234, 0};
    CHECK(judge(settings, host) ==
          somebody_elses(what + "belongs to user 1234, and so somebody else could choose it",
                         "if it is yours, chown 0 " + path));
    host = sound;
    host.files[path].names = 2;
    CHECK(judge(settings, host) ==
          somebody_elses(what + "has 2 names (hard links), and so somebody else could choose it",
                         "put a copy in its place"));
    host = sound;
    host.files[path].stranger = "S";
    CHECK(judge(settings, host) ==
          somebody_elses(what + "is a symbolic link that somebody else could choose: S",
                         "put the file itself there"));
  }
  // What is not used may be anybody's.
  sound.files[record.kernel].owner = sound.files[record.initrd].owner = {1234, 0};
  sound.files["/k"] = regular_file();
  CHECK(judge(with({"KERNEL=/k"}), sound) == Verdict{});
}

}  // namespace
}  // namespace vmr::test
