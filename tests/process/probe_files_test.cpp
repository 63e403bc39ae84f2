// SPDX-License-Identifier: MIT
#include "host/probe_files.hpp"

#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <sys/stat.h>

namespace vmr::test {
namespace {

/// A qcow2 header that names `backing`, as qemu-img writes it.
std::string qcow2(const std::string& backing) {
  std::string header("QFI\xfb\0\0\0\3", 8);
  header += std::string("\0\0\0\0\0\0\0\x18", 8);
  header += std::string("\0\0", 2) + static_cast<char>(backing.size() >> 8) +
            static_cast<char>(backing.size());
  return header + std::string(4, '\0') + backing;
}

/// The facts about every file, of a host whose guest has this disk.
std::map<std::string, FileFacts> look_at(const std::string& disk) {
  Host host;
  host.runtime_folder = "/run/vm-runner";
  host.temporary_folder = "/var/tmp";
  host.guest = GuestImage{};
  host.guest->disk = disk;
  probe_files({}, host);
  return host.files;
}

TEST_CASE("the images behind a disk are found") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "a, 'ü'");
  write_text(folder / "top", qcow2("a, 'ü'/middle"));
  write_text(folder / "a, 'ü'/middle", qcow2("file:" + (folder / "raw")));
  write_text(folder / "raw", "no header");
  const auto files = look_at(folder / "top");
  CHECK(files.at(folder / "top").backing == folder / "a, 'ü'/middle");
  CHECK(files.at(folder / "a, 'ü'/middle").backing == folder / "raw");
  CHECK(files.at(folder / "raw").backing.empty());
}

TEST_CASE("a link in the source of a mapped share is found, nearest first, and not followed") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "s/a/deep");
  Config config;
  config.shares.resize(1);
  config.shares.front().source.value = folder / "s";
  config.shares.front().accessmode.value = AccessMode::mapped;
  const auto link_of = [&] {
    Host host;
    probe_files(config, host);
    return host.files.at(folder / "s").link;
  };
  CHECK(link_of().empty());
  std::filesystem::create_symlink(folder.path(), folder / "s/a/deep/ring");
  CHECK(link_of() == "a/deep/ring");
  std::filesystem::create_symlink("nowhere", folder / "s/ü, b");
  CHECK(link_of() == "ü, b");
  config.shares.front().accessmode.value = AccessMode::squash;
  CHECK(link_of().empty());
}

TEST_CASE("a broken header, and a ring, end") {
  const TemporaryFolder folder;
  write_text(folder / "ring", qcow2("ring"));
  CHECK(look_at(folder / "ring").at(folder / "ring").backing == folder / "ring");
  for (const auto& text : {std::string(), std::string("QFI\xfb"), qcow2("").substr(0, 19),
                           qcow2("x").substr(0, 24), qcow2(std::string(5000, 'n'))}) {
    write_text(folder / "broken", text);
    CHECK(look_at(folder / "broken").at(folder / "broken").backing.empty());
  }
}

TEST_CASE("names that only QEMU reads are told apart") {
  const TemporaryFolder folder;
  auto data_file = qcow2("") + std::string(80, '\0');
  data_file[79] = 4;
  for (const auto& text : {qcow2("json:{\"driver\":\"file\"}"), qcow2("nbd://host/x"), data_file}) {
    write_text(folder / "disk", text);
    const auto facts = look_at(folder / "disk").at(folder / "disk");
    CHECK(facts.opens_unknown);
    CHECK(facts.backing.empty());
  }
  // The extension with its name stands behind the header, whose length is in it.
  auto named = data_file.substr(0, 100) + std::string("\0\0\0\x68", 4);
  named += std::string("DATA\0\0\0\x0b/etc/shadow", 19) + std::string(8, '\0');
  write_text(folder / "disk", named);
  CHECK(look_at(folder / "disk").at(folder / "disk").data_file == "/etc/shadow");
  write_text(folder / "disk", qcow2("a/b:c"));
  CHECK(look_at(folder / "disk").at(folder / "disk").backing == folder / "a/b:c");
}

TEST_CASE("links on the way to a file are told, and folders that are left again") {
  const TemporaryFolder folder;
  namespace fs = std::filesystem;
  const auto root = fs::canonical(folder.path()).string();
  fs::create_directories(root + "/a/b");
  fs::create_directories(root + "/there");
  write_text(root + "/there/k", "");
  fs::create_symlink("../../there", root + "/a/b/link");
  fs::create_symlink(root + "/a/b/link/k", root + "/far");
  fs::create_symlink("a/nothing", root + "/dangling");
  const auto passed = [&](const std::string& path) {
    std::vector<std::string> paths;
    for (const auto& name : probe_file(root + path).passed) {
      if (name.starts_with(root)) paths.push_back(name.substr(root.size()));
    }
    return paths;
  };
  using Paths = std::vector<std::string>;
  CHECK(passed("/there/k") == Paths{});
  CHECK(passed("/a/b/link/k") == Paths{"/a/b/link", "/a/b", "/a"});
  CHECK(passed("/far") == Paths{"/far", "/a/b/link", "/a/b", "/a"});
  CHECK(passed("/a/b/../../there/k") == Paths{"/a/b", "/a"});
  CHECK(passed("/dangling") == Paths{"/dangling", "/a/nothing"});
  fs::create_symlink("ring", root + "/ring");
  CHECK(passed("/ring/x").size() >= 40);
}

TEST_CASE("a link is reachable when it is, and what it leads to") {
  const TemporaryFolder open;
  const TemporaryFolder closed;
  ::chmod(open.path().c_str(), 0755);
  write_text(open / "disk", "");
  std::filesystem::create_symlink(open / "disk", closed / "link");
  CHECK_FALSE(look_at(closed / "link").at(closed / "link").reachable);
  std::filesystem::create_symlink(open / "disk", open / "link");
  CHECK(look_at(open / "link").at(open / "link").reachable);
}

TEST_CASE("a file is reachable when every folder before it may be searched") {
  const TemporaryFolder folder;
  write_text(folder / "disk", "");
  CHECK_FALSE(look_at(folder / "disk").at(folder / "disk").reachable);
  ::chmod(folder.path().c_str(), 0711);
  CHECK(look_at(folder / "disk").at(folder / "disk").reachable);
  CHECK(look_at("/").at("/").reachable);
  const mode_t before = ::umask(077);
  const bool missing = look_at(folder / "new/disk").at(folder / "new/disk").reachable;
  ::umask(before);
  CHECK_FALSE(missing);
}

}  // namespace
}  // namespace vmr::test
