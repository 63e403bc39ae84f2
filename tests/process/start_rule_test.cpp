// SPDX-License-Identifier: MIT
// What decides a start, with the real program: a guest must not write to it, nor another user
// choose it.
#include "host/programs.hpp"
#include "host/trusted_path.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"
#include "support/variable.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

Finished args(const FakeHost& host, const Launcher::Variables& settings, const Words& more = {}) {
  Words words = {"args", "--format=json"};
  words.insert(words.end(), more.begin(), more.end());
  Launcher launcher(host.settings(settings), words);
  return host.finish(launcher);
}

TEST_CASE("start rule: a project is not shared with the file that configures it") {
  const FakeHost host;
  const auto project = host / "my 'project', ü";
  fs::create_directories(project + "/src");
  const auto file = project + "/vm.toml";
  write_text(file, "memory = 64\n");
  const auto share = FakeHost::virtiofs_share(1, project);
  const auto refused = args(host, share, {file});
  CHECK(refused.status == 2);
  CHECK(has(refused.log, "it has the configuration file in it, '" + file + "'"));
  CHECK(has(refused.log, "ALLOW_IN_SHARE=config"));
  CHECK(args(host, join(share, {{"FILESYSTEM_READONLY", "1"}}), {file}).status == 0);
  CHECK(args(host, join(share, {{"ALLOW_IN_SHARE", "config"}}), {file}).status == 0);
  CHECK(args(host, FakeHost::virtiofs_share(1, project + "/src"), {file}).status == 0);
  CHECK(args(host, share).status == 0);
  // Nor by a link from elsewhere, nor with a link in it that leads elsewhere.
  fs::create_symlink(file, host / "outside.toml");
  CHECK(args(host, share, {host / "outside.toml"}).status == 2);
  write_text(host / "real.toml", "memory = 64\n");
  fs::create_symlink(host / "real.toml", project + "/src/link.toml");
  const auto by_link = args(host, share, {project + "/src/link.toml"});
  CHECK(by_link.status == 2);
  CHECK(has(by_link.log, "it has a part of the way to the configuration file in it"));
}

TEST_CASE("start rule: links of a guest in place of kernel and user-data lead nowhere") {
  const FakeHost host;
  const auto source = host / "shared";
  auto settings = FakeHost::virtiofs_share(1, source);
  write_text(host / "secret", "#cloud-config\n");
  fs::create_symlink(host / "secret", source + "/user-data");
  fs::create_symlink(host / "kernel", source + "/kernel");
  settings = join(settings, {{"CLOUD_INIT_USER_DATA", source + "/user-data"}});
  const auto finished = args(host, join(settings, {{"KERNEL", source + "/kernel"}}));
  CHECK(finished.status == 2);
  CHECK(has(finished.log, "it has a part of the way to KERNEL in it"));
  CHECK(has(finished.log, "it has a part of the way to CLOUD_INIT_USER_DATA in it"));
  CHECK(args(host, join(settings, {{"FILESYSTEM_READONLY", "1"}})).status == 0);
}

TEST_CASE("start rule: a share that is added is held to it as well") {
  const FakeHost host;
  fs::create_directories(host / "project");
  write_text(host / "project/vm.toml", "memory = 64\n");
  Launcher vm(host.settings({{"FAKE_QEMU", "report,agent"}}), {host / "project/vm.toml"});
  REQUIRE(vm.wait_for_log("The machine runs"));
  Launcher client(host.settings(), {"share", "add", host / "project", "--set", "SANDBOX=none"});
  const auto asked = client.finish();
  CHECK(asked.status == 2);
  CHECK(has(asked.log, "it has the configuration file in it"));
  Launcher stop(host.settings(), {"stop"});
  CHECK(stop.finish().status == 0);
  CHECK(host.finish(vm).status == 0);
}

TEST_CASE("start rule: a virtiofsd that another user could have named is never run") {
  const FakeHost host;
  const auto home = host / "their home";
  fs::create_directories(home + "/.config/qemu/vhost-user");
  const auto program = home + "/evil";
  write_text(program, "#!/bin/sh\ntouch '" + (host / "ran") + "'\n");
  ::chmod(program.c_str(), 0755);
  write_text(home + "/.config/qemu/vhost-user/0.json",
             R"({"type": "fs", "binary": ")" + program + R"("})");
  const auto config = [&] {
    Launcher launcher(host.settings(join(FakeHost::virtiofs_share(1, host / "share"),
                                         {{"HOME", home}, {"XDG_CONFIG_HOME", ""}})),
                      {"config"});
    return host.finish(launcher);
  };
  // Whoever may write to a folder on the way, or owns one.
  ::chmod(home.c_str(), 0777);
  CHECK(has(config().log, "0.json' is passed over: others may write to '" + home + "'"));
  CHECK_FALSE(fs::exists(host / "ran"));
  if (::geteuid() == 0) {
    ::chmod(home.c_str(), 0755);
    REQUIRE(::chown(home.c_str(), 1234, 1234) == 0);
    CHECK(has(config().log, "0.json' is passed over: '" + home + "' belongs to user 1234"));
    CHECK_FALSE(fs::exists(host / "ran"));
    REQUIRE(::chown(home.c_str(), 0, 0) == 0);
  }
  ::chmod(home.c_str(), 0755);
  config();
  CHECK(fs::exists(host / "ran"));
}

TEST_CASE("start rule: root passes over programs in PATH that others could have put there") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "open");
  fs::create_directories(folder / "ours");
  for (const std::string name : {"open/tool", "ours/tool"}) {
    write_text(folder / name, "");
    ::chmod((folder / name).c_str(), 0755);
  }
  ::chmod((folder / "open").c_str(), 0777);
  const Variable path("PATH", (folder / "open") + ":" + (folder / "ours"));
  Skipped skipped;
  const auto found = find_in_path("tool", &skipped);
  const bool is_root = ::geteuid() == 0;
  CHECK(found == folder / (is_root ? "ours/tool" : "open/tool"));
  CHECK(skipped.size() == (is_root ? 1 : 0));
}

TEST_CASE("start rule: every part of a path counts, also of what a link leads to") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/b");
  write_text(folder / "a/b/file", "");
  fs::create_symlink("a/b/file", folder / "link");
  CHECK(find_stranger(folder / "link") == "");
  CHECK(find_stranger(folder / "a/b/none") == "");
  ::chmod((folder / "a/b").c_str(), 0775);
  const auto said = "others may write to '" + (folder / "a/b") + "' (mode 0775)";
  CHECK(find_stranger(folder / "link") == said);
  CHECK(find_stranger(folder / "a/b/none") == said);
  ::chmod((folder / "a/b").c_str(), 01777);
  CHECK(find_stranger(folder / "link") == "");
  ::chmod((folder / "a/b/file").c_str(), 0666);
  CHECK(find_stranger(folder / "link") != "");
  CHECK(find_other_stranger(folder / "link") == "");
}

TEST_CASE("start rule: whoever owns what was named may own the way, and lead nowhere else") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: this needs root");
    return;
  }
  const TemporaryFolder folder;
  fs::create_directories(folder / "home/data");
  fs::create_directories(folder / "roots");
  fs::create_symlink(folder / "roots", folder / "home/link");
  for (const std::string name : {"home", "home/data", "home/link"}) {
    REQUIRE(::lchown((folder / name).c_str(), 1234, 1234) == 0);
  }
  const auto belongs = [&](const std::string& name, int uid) {
    return fmt::format("'{}' belongs to user {}", folder / name, uid);
  };
  CHECK(find_stranger(folder / "home/data") == belongs("home", 1234));
  CHECK(find_other_stranger(folder / "home/data") == "");
  CHECK(find_other_stranger(folder / "home/none/below") == "");
  CHECK(find_other_stranger(folder / "home/link") == belongs("home", 1234));
  CHECK(find_other_stranger(folder / "home/data/../link") == belongs("home", 1234));
  REQUIRE(::lchown((folder / "home").c_str(), 0, 0) == 0);
  CHECK(find_other_stranger(folder / "home/link") == belongs("home/link", 1234));
  REQUIRE(::lchown((folder / "home").c_str(), 1235, 0) == 0);
  CHECK(find_other_stranger(folder / "home/data") == belongs("home", 1235));
  REQUIRE(::lchown((folder / "home").c_str(), 1234, 0) == 0);
  REQUIRE(::chmod((folder / "home").c_str(), 0775) == 0);
  CHECK(find_other_stranger(folder / "home/data") ==
        fmt::format("others may write to '{}' (mode 0775)", folder / "home"));
}

}  // namespace
}  // namespace vmr::test
