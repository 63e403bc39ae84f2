// SPDX-License-Identifier: MIT
// What becomes of a libvirt domain's disks.
#include "libvirt/import_domain.hpp"
#include "support/imported_domain.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmr::test {
namespace {

/// A domain that starts from its disks, with these devices.
ImportedDomain with_devices(const std::string& devices) {
  return imported("<domain type='qemu'>\n<os><type>hvm</type></os>\n<devices>\n" + devices +
                  "<interface type='user'/></devices></domain>");
}

Texts settings_with(const std::string& devices) {
  return texts_of(with_devices(devices).settings);
}

std::string disk(const std::string& path, const std::string& target, const std::string& more = "") {
  return fmt::format("<disk><source file='{}'/><target {}/>{}</disk>", path, target, more);
}

TEST_CASE("a disk that is written to keeps its login: nothing sets it up anew") {
  const auto kept = settings_with(disk("/a", "dev='vda'"));
  CHECK(kept == Texts{{{0, "ACCEL"}, "tcg"},
                      {{0, "CPUS"}, "1"},
                      {{0, "BASE_IMAGE"}, "/a"},
                      {{0, "PERSIST"}, "true"},
                      {{0, "CLOUD_INIT"}, "false"}});
  for (const std::string dropped : {"<transient/>", "<readonly/>"}) {
    CHECK(settings_with(disk("/a", "dev='vda'", dropped)) ==
          Texts{{{0, "ACCEL"}, "tcg"}, {{0, "CPUS"}, "1"}, {{0, "BASE_IMAGE"}, "/a"}});
  }
}

TEST_CASE("a disk's bus comes from its target's name where none is given") {
  const std::vector<std::array<std::string, 2>> rows = {
      {"dev='vdb'", "virtio-blk-pci,drive=import-disk1"},
      {"dev='sdb'", "scsi-hd,drive=import-disk1"},
      {"dev='hdb'", "ide-hd,drive=import-disk1,bus=ide.0"},
      {"dev='hdb' bus='virtio'", "virtio-blk-pci,drive=import-disk1"},
      {"dev='vdb' bus='sata'", "ide-hd,drive=import-disk1,bus=ide.0"},
      {"dev='other'", "ide-hd,drive=import-disk1,bus=ide.0"}};
  for (const auto& [target, device] : rows) {
    CAPTURE(target);
    auto texts = settings_with(disk("/a", "dev='vda'") + disk("/b", target));
    CHECK(texts[{0, "BASE_IMAGE"}] == "/a");
    CHECK(texts[{0, "EXTRA_ARGS"}].ends_with(device));
  }
  CHECK(settings_with(disk("/a", "dev='vda'") + disk("/x", "dev='xvdb'")) ==
        settings_with(disk("/a", "dev='vda'")));
}

TEST_CASE("disks are in libvirt's order: by bus, then by the targets' names") {
  const auto base = [](const std::string& disks) {
    return settings_with(disks)[{0, "BASE_IMAGE"}];
  };
  CHECK(base(disk("/swap", "dev='vdb'") + disk("/root", "dev='vda'")) == "/root");
  CHECK(base(disk("/aa", "dev='vdaa'") + disk("/z", "dev='vdz'")) == "/z");
  CHECK(base(disk("/b", "dev='sdb' bus='sata'") + disk("/a", "dev='vda'")) == "/b");
  CHECK(base(disk("/disc", "dev='hda'") + disk("/b", "dev='hdb'", "<boot order='1'/>")) == "/b");
  auto texts =
      settings_with(disk("/c", "dev='vdc'") + disk("/b", "dev='vdb'") + disk("/a", "dev='vda'"));
  const auto& words = texts[{0, "EXTRA_ARGS"}];
  CHECK(words.find("filename=/b") < words.find("filename=/c"));
}

TEST_CASE("a virtio disk that gets another name in the guest is told of") {
  const auto notes = [](const std::string& disks) {
    std::string text;
    for (const auto& note : with_devices(disks).notes) {
      if (note.why.find("/dev/vd") != std::string::npos) text += note.why + "\n";
    }
    return text;
  };
  CHECK(notes(disk("/a", "dev='vda'") + disk("/b", "dev='vdb'")) == "");
  CHECK(notes(disk("/a", "dev='vda'") + disk("/b", "dev='vdb'", "<boot order='1'/>")) ==
        "carried over, but it is /dev/vdb in the guest, where libvirt has it as /dev/vda: mount it "
        "by label or UUID\n"
        "carried over, but it is /dev/vda in the guest, where libvirt has it as /dev/vdb: mount it "
        "by label or UUID\n");
  CHECK(notes(disk("/a", "dev='vda'", "<transient/>") + disk("/b", "dev='vdb'")) ==
        "carried over, but it is /dev/vdc in the guest, where libvirt has it as /dev/vdb: mount it "
        "by label or UUID (CLOUD_INIT=0: no seed before it)\n");
}

TEST_CASE("a disk whose contents are not its source as it is, is never opened") {
  const std::string hidden =
      "not carried over: what the guest sees of it is not its source as it is ({}), which is "
      "therefore not opened; give the drive in EXTRA_ARGS";
  const std::vector<std::array<std::string, 2>> rows = {
      {"<source file='/x'><slices><slice type='storage' offset='1'/></slices></source>",
       "<slices>"},
      {"<source file='/x'><encryption format='luks'/></source>", "<encryption>"},
      {"<source file='/x'/><encryption format='luks'/>", "<encryption>"},
      {"<driver type='luks'/><source file='/x'/>", "<driver type='luks'>"},
      {"<source file='/x'><dataStore/></source>", "<dataStore>"}};
  for (const auto& [parts, cover] : rows) {
    CAPTURE(parts);
    const auto further =
        with_devices(disk("/a", "dev='vda'") + "<disk>" + parts + "<target dev='vdb'/></disk>");
    auto texts = texts_of(further.settings);
    CHECK(texts.count({0, "EXTRA_ARGS"}) == 0);
    REQUIRE(further.notes.size() == 2);
    CHECK(further.notes.back().why == fmt::format(fmt::runtime(hidden), cover));
    // Nor is another disk started instead.
    const auto first =
        with_devices("<disk>" + parts + "<target dev='vda'/></disk>" + disk("/data", "dev='vdb'"));
    texts = texts_of(first.settings);
    CHECK(texts[{0, "BASE_IMAGE"}] == "none");
    CHECK(texts[{0, "EXTRA_ARGS"}].find("/x") == std::string::npos);
    CHECK(std::any_of(first.notes.begin(), first.notes.end(),
                      [](const ImportNote& note) { return note.weight == NoteWeight::stops; }));
  }
}

TEST_CASE("a domain without a disk of its own does not start the guest of ours") {
  const std::string nbd =
      "<disk type='network'><source protocol='nbd' name='x'><host name='h'/></source>"
      "<target dev='vda'/></disk>";
  const std::string disc = "<disk device='cdrom'><source file='/d'/><target dev='hda'/></disk>";
  const auto stops = [](const ImportedDomain& domain) {
    return std::count_if(domain.notes.begin(), domain.notes.end(),
                         [](const ImportNote& note) { return note.weight == NoteWeight::stops; });
  };
  for (const auto& [disks, wrong] :
       std::vector<std::pair<std::string, int>>{{"", 1}, {nbd, 0}, {disc, 0}}) {
    CAPTURE(disks);
    const auto domain = with_devices(disks);
    auto texts = texts_of(domain.settings);
    CHECK(texts[{0, "BASE_IMAGE"}] == "none");
    CHECK(texts[{0, "CLOUD_INIT"}] == "false");
    CHECK(stops(domain) == wrong);
  }
}

TEST_CASE("the disk that is started from is BASE_IMAGE") {
  const std::string one = "<disk><source file='/one'/><target bus='virtio'/><transient/>";
  const std::string two = "<disk><source file='/two'/><target bus='virtio'/><transient/>";
  const std::string disc = "<disk device='cdrom'><source file='/disc'/><target bus='sata'/>";
  const auto place = [](int order) { return fmt::format("<boot order='{}'/></disk>", order); };
  const std::string system = "<os><type>hvm</type></os>";
  const auto settings_of = [&](const std::string& disks) {
    return texts_of(imported("<domain type='qemu'>" + system + "<devices>" + disks +
                             "<interface type='user'/></devices></domain>")
                        .settings);
  };
  using Pair = std::pair<std::string, bool>;
  const auto seen = [&](const std::string& disks) {
    auto texts = settings_of(disks);
    return Pair(texts[{0, "BASE_IMAGE"}],
                texts[{0, "EXTRA_ARGS"}].find("order=dc") != std::string::npos);
  };
  CHECK(seen(one + "</disk>" + two + "</disk>") == Pair("/one", false));
  CHECK(seen(one + place(2) + two + place(1)) == Pair("/two", false));
  CHECK(seen(disc + place(1) + one + place(2)) == Pair("/one", true));
  CHECK(seen(disc + place(2) + one + place(1)) == Pair("/one", false));
  CHECK(seen(disc + "</disk>") == Pair("none", false));
}

TEST_CASE("disks that are not carried over") {
  const auto note = [](const std::string& disk) {
    const auto domain =
        imported(domain_with("<devices>" + disk + "<interface type='user'/></devices>"));
    return domain.notes.size() == 1 ? domain.notes.front().why : notes_of(domain);
  };
  const std::string lost = "not carried over: ";
  const std::string no_name =
      lost + "QEMU has no simple name for its source; give it in EXTRA_ARGS";
  const std::string empty =
      lost + "there is nothing in the drive, and nothing can be put in while it runs";
  const auto network = [](const std::string& source) {
    return "<disk type='network'><source " + source + "</source><target bus='scsi'/></disk>";
  };
  CHECK(note(network("protocol='nbd' name='x'><host name='h'/>")) == "");
  CHECK(note(network("protocol='nbd' tls='yes'><host name='h'/>")) == no_name);
  CHECK(note(network("protocol='nbd'><host transport='unix' socket='/s'/>")) == no_name);
  CHECK(note(network("protocol='https' name='x'><host name='h'/><ssl verify='no'/>")) == no_name);
  CHECK(note(network("protocol='rbd' name='p/i'><auth/>")) == no_name);
  CHECK(note("<disk type='volume'><source pool='p' volume='v'/></disk>") == no_name);
  CHECK(note("<disk type='dir'><source dir='/d'/></disk>") == no_name);
  CHECK(note("<disk device='cdrom'><target bus='sata'/></disk>") == empty);
  CHECK(note("<disk type='block'><driver type='vmdk'/></disk>") == empty);
  CHECK(note("<disk device='lun' type='block'><source dev='/dev/sdb'/></disk>") ==
        lost + "the machine has no such drive; give it with bus='virtio' or bus='scsi'");
  std::string many;
  for (int i = 0; i < 8; ++i) {
    many += "<disk device='cdrom'><source file='/x'/><target bus='sata'/></disk>";
  }
  const auto domain =
      imported(domain_with("<devices>" + many + "<interface type='user'/></devices>"));
  const std::string full =
      lost + "the machine has no more such drives; give it with bus='virtio' or bus='scsi'";
  REQUIRE(domain.notes.size() == 8);
  CHECK(std::count_if(domain.notes.begin(), domain.notes.end(),
                      [&](const ImportNote& one) { return one.why == full; }) == 2);
}

}  // namespace
}  // namespace vmr::test
