// SPDX-License-Identifier: MIT
// Domains as people have them (tests/cases/xml, and the guide's): what `import` makes of each is
// what `args` takes and `run` starts.
#include "build_paths.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

/// `text` with every folder /srv at `folder`.
std::string moved(const std::string& text, const std::string& folder) {
  return std::regex_replace(text, std::regex("/srv/"), folder + "/srv/");
}

/// Makes what the domain names: folders of shares, and for everything else disks with nothing but a
/// boot sector's signature.
void make_files(const std::string& domain) {
  std::string disk(1024 * 1024, '\0');
  disk.replace(510, 2, "\x55\xaa");
  const std::regex path(R"((dir='|path=)?(/[^'"<>,]*/srv/[^'"<>,]*))");
  for (std::sregex_iterator found(domain.begin(), domain.end(), path), end; found != end; ++found) {
    const fs::path named = (*found)[2].str();
    if ((*found)[1].matched) {
      fs::create_directories(named);
    } else {
      fs::create_directories(named.parent_path());
      write_text(named, disk);
    }
  }
}

std::vector<fs::path> all_cases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(SOURCE_FOLDER "/tests/cases/xml")) {
    cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

/// The settings of a host that says nothing of its own about the guest, so that the file decides.
Launcher::Variables bare_settings(const FakeHost& host) {
  return host.settings({{"BASE_IMAGE", ""}, {"ACCEL", ""}, {"MEMORY", ""}, {"GUEST_PASSWORD", ""}});
}

/// The lines of the guide's block that begins with ```LANGUAGE.
std::string block_of(const std::string& guide, const std::string& language) {
  const auto start = guide.find("\n```" + language + "\n") + language.size() + 5;
  return guide.substr(start, guide.find("\n```\n", start) + 1 - start);
}

}  // namespace

TEST_CASE("import: `args` takes what it makes of every case") {
  const auto cases = all_cases();
  CHECK(cases.size() >= 8);
  for (const auto& one : cases) {
    CAPTURE(one.string());
    const FakeHost host;
    const auto domain = moved(read_text(one), host / "root");
    make_files(domain);
    write_text(host / "domain.xml", domain);
    const auto imported = run_launcher(bare_settings(host), {"import", host / "domain.xml"});
    CHECK_MESSAGE(imported.status == 0, imported.log);
    write_text(host / "vm.toml", imported.output);
    const auto args = run_launcher(bare_settings(host), {"args", host / "vm.toml"});
    CHECK_MESSAGE(args.status == 0, args.log);
  }
}

TEST_CASE("import: the guide's example runs as it is written") {
  const FakeHost host;
  const auto guide = read_text(SOURCE_FOLDER "/docs/from-libvirt.md");
  const auto domain = moved(block_of(guide, "xml"), host / "root");
  make_files(domain);
  write_text(host / "build.xml", domain);
  const auto imported = run_launcher(bare_settings(host), {"import", host / "build.xml"});
  CHECK(imported.output == moved(block_of(guide, "toml"), host / "root"));
  write_text(host / "build.toml", imported.output);
  auto settings = bare_settings(host);
  settings["FAKE_QEMU"] = "poweroff";
  settings["ACCEL"] = "tcg";  // where there is a KVM, a fake of QEMU has no use for it
  const auto run = run_launcher(settings, {"run", host / "build.toml"});
  CHECK_MESSAGE(run.status == 0, run.log);
}

TEST_CASE("import: a QEMU argument of the domain's that QEMU would refuse here is told first") {
  const TextFile domain(
      "<domain type='qemu'><os><type>hvm</type><loader>/f</loader></os><devices><interface "
      "type='user'/></devices><commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'>"
      "<arg value='-netdev'/><arg value='user,id=net0'/></commandline></domain>");
  const auto imported = run_launcher({}, {"import", domain.path()});
  CHECK(imported.status == 0);
  const auto first = imported.log.substr(0, imported.log.find('\n'));
  CHECK(first.starts_with("[WARN] " + domain.path() +
                          ": the guest may not start as it is: extra_args (the output:"));
}

TEST_CASE("BASE_IMAGE=none: only what the own QEMU arguments have is started") {
  const FakeHost host;
  const Launcher::Variables none = {{"BASE_IMAGE", "none"}, {"FAKE_QEMU", "poweroff"}};
  const auto refused = host.run(none);
  CHECK(refused.status == 2);
  CHECK(refused.log.find("error: there is no guest to start\n") != std::string::npos);
  auto with_disk = none;
  with_disk["EXTRA_ARGS"] = "-drive if=virtio,format=raw,file=" + (host / "kernel");
  const auto run = host.run(with_disk);
  CHECK_MESSAGE(run.status == 0, run.log);
  const auto argv = host.argv_of("qemu");
  CHECK(std::count(argv.begin(), argv.end(), "-drive") == 2);  // the seed's and this
}

TEST_CASE("NETWORK=restricted: QEMU's network lets nothing out") {
  const FakeHost host;
  const auto run = host.run({{"NETWORK", "restricted"}, {"FAKE_QEMU", "poweroff"}});
  CHECK_MESSAGE(run.status == 0, run.log);
  const auto argv = host.argv_of("qemu");
  CHECK(std::count(argv.begin(), argv.end(), "user,id=net0,restrict=on") == 1);
}
