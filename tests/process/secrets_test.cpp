// SPDX-License-Identifier: MIT
// Whoever looks at a VM from outside sees no password.
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "run/prepare.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <sys/stat.h>
#include <vector>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

const std::string password = "correct-horse-battery";

constexpr auto only_owner = fs::perms::owner_read | fs::perms::owner_write;

bool shows(const std::string& text) {
  return text.find(password) != text.npos;
}

/// A way to give the password.
struct Way {
  std::string name;
  Launcher::Variables variables{};
  std::vector<std::string> arguments{};
  std::string kept = "GUEST_PASSWORD=";  ///< what /proc may show of it
};

std::vector<Way> all_ways(const FakeHost& host) {
  const auto file = host / "vm.toml";
  write_text(file, "guest_password = \"" + password + "\"\n");
  ::chmod(file.c_str(), 0600);
  const auto secret = host / "password";
  write_text(secret, password + "\n");
  return {{"environment", {{"GUEST_PASSWORD", password}}},
          {"--set", {}, {"--set", "GUEST_PASSWORD=" + password}},
          {"--set=", {}, {"--set=guest_password=" + password}},
          {"secret file",
           {{"GUEST_PASSWORD", ""}, {"GUEST_PASSWORD_FILE", secret}},
           {},
           "GUEST_PASSWORD_FILE="},
          {"file", {{"GUEST_PASSWORD", ""}}, {file}, "vm.toml"}};
}

/// What /proc tells of the launcher and everything that it has started.
std::string seen_in_proc(const Launcher& launcher) {
  auto pids = launcher.descendant_pids();
  CHECK(pids.size() >= 2);  // QEMU and a virtiofsd
  pids.push_back(launcher.pid());
  std::string text;
  for (const auto pid : pids) {
    for (const auto* what : {"cmdline", "environ"}) {
      text += read_text(fmt::format("/proc/{}/{}", pid, what)) + '\n';
    }
  }
  return text;
}

/// The contents of all files in the runtime folder, which only their owner may read.
std::string seen_in_runtime_folder(const FakeHost& host) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(host.runtime_folder() + "/vm-runner")) {
    CAPTURE(entry.path().string());
    struct stat facts {};
    REQUIRE(::lstat(entry.path().c_str(), &facts) == 0);
    // A folder may let QEMU's own group through.
    if (S_ISDIR(facts.st_mode)) CHECK((facts.st_mode & 07) == 0);
    if (!S_ISREG(facts.st_mode)) continue;
    CHECK((facts.st_mode & 077) == 0);
    text += read_text(entry.path());
  }
  return text;
}

/// What `vm-runner ARGUMENTS…` prints and logs with the password given this way.
std::string said_by(const FakeHost& host, const Way& way, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), way.arguments.begin(), way.arguments.end());
  Launcher launcher(join(host.settings(way.variables), {{"LOG_VERBOSE", "1"}}), arguments);
  const auto finished = launcher.finish();
  CHECK_MESSAGE(finished.status == 0, finished.log);
  return finished.output + finished.log;
}

Launcher::Variables run_settings(const FakeHost& host, const Launcher::Variables& more) {
  return join(join(host.settings(more), FakeHost::virtiofs_share(1, host / "shared")),
              {{"FAKE_QEMU", "slow"}, {"LOG_VERBOSE", "1"}});
}

}  // namespace

TEST_CASE("secrets: a running VM shows its password nowhere") {
  for (const std::string log_format : {"text", "json"}) {
    const FakeHost host;
    for (const auto& way : all_ways(host)) {
      CAPTURE(way.name);
      Gate gate(host, "qemu");
      Launcher launcher(join(run_settings(host, way.variables), {{"LOG_FORMAT", log_format}}),
                        way.arguments);
      gate.wait();
      const auto files = seen_in_runtime_folder(host);
      CHECK(files.find("$6$") != files.npos);
      CHECK_FALSE(shows(files));
      const auto processes = seen_in_proc(launcher);
      CHECK(processes.find(way.kept) != processes.npos);
      CHECK_FALSE(shows(processes));
      gate.open();
      REQUIRE(launcher.wait_for_log("The machine runs"));
      CHECK_FALSE(shows(seen_in_proc(launcher)));
      CHECK_FALSE(shows(said_by(host, way, {"status", "--format=json"})));
      launcher.signal(SIGTERM);
      const auto finished = host.finish(launcher);
      CHECK_FALSE(shows(finished.output + finished.log));
    }
  }
}

TEST_CASE("secrets: no command prints the password, but config that is asked to") {
  const FakeHost host;
  const auto other = host / "other.toml";
  const std::vector<std::vector<std::string>> commands = {
      {"args"},
      {"args", "--format=lines"},
      {"args", "--format=json"},
      {"args", "--explain"},
      {"args", "--explain", "--format=json"},
      {"args", "--diff", other},
      {"args", "--format=json", "--diff", other},
      {"config"},
      {"config", "--format=json"},
      {"seed", "-o", host / "seed.iso"}};
  for (const auto& way : all_ways(host)) {
    CAPTURE(way.name);
    const bool is_in_file = way.name == "secret file";
    // Both together are refused.
    write_text(other, is_in_file ? "memory = 512\n" : "guest_password = \"another\"\n");
    for (const auto& command : commands) {
      const auto said = said_by(host, way, command);
      CHECK_FALSE_MESSAGE(shows(said), fmt::format("{}\n{}", command.front(), said));
    }
    // What is in a file stays there.
    CHECK(shows(said_by(host, way, {"config", "--show-secrets"})) == !is_in_file);
  }
  CHECK_FALSE(shows(read_text(host / "seed.iso")));
  CHECK(fs::status(host / "seed.iso").permissions() == only_owner);
}

TEST_CASE("secrets: a random password is shown once, and nowhere else") {
  const FakeHost host;
  Launcher launcher(run_settings(host, {{"GUEST_PASSWORD", ""}}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  Launcher client(host.settings(), {"status", "--format=json"});
  const auto status = client.finish();
  CHECK(status.status == 0);
  const auto processes = seen_in_proc(launcher);
  launcher.signal(SIGTERM);
  const auto log = host.finish(launcher).log;
  const std::string before = "Log in as root with the password ";
  const auto at = log.find(before);
  REQUIRE(at != log.npos);
  const auto made =
      log.substr(at + before.size(), log.find(' ', at + before.size()) - at - before.size());
  CHECK(made.size() >= 12);
  CHECK(log.find(made) == log.rfind(made));
  CHECK((status.output + status.log + processes).find(made) == std::string::npos);
}

TEST_CASE("secrets: a configuration file with a password that others can read is warned of") {
  const FakeHost host;
  const auto file = host / "vm.toml";
  write_text(file, "guest_password = \"" + password + "\"\n");
  const std::string warning =
      "[WARN] " + file + ": others can read the guest_password in it; chmod 600";
  for (const auto& [mode, warns] :
       std::vector<std::pair<mode_t, bool>>{{0644, true}, {0640, true}, {0600, false}}) {
    CAPTURE(mode);
    ::chmod(file.c_str(), mode);
    const auto said = said_by(host, {"file", {{"GUEST_PASSWORD", ""}}, {file}}, {"config"});
    CHECK((said.find(warning) != said.npos) == warns);
  }
  ::chmod(file.c_str(), 0644);
  const auto said = said_by(host, {"both", {{"GUEST_PASSWORD", "x"}}, {file}}, {"config"});
  CHECK(said.find(warning) != said.npos);
}

TEST_CASE("secrets: a file that has no password is refused by name and not waited for") {
  const FakeHost host;
  write_text(host / "empty", "");
  write_text(host / "large", password + std::string(5000, 'x'));
  fs::create_directory(host / "folder");
  fs::create_symlink("nowhere", host / "dangling");
  REQUIRE(::mkfifo((host / "fifo").c_str(), 0600) == 0);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"missing", "No such file or directory"},
      {"dangling", "No such file or directory"},
      {"folder", "it is a folder"},
      {"fifo", "it is a FIFO, which is not read"},
      {"empty", "it is empty"},
      {"large", "it is larger than 4096 bytes"}};
  for (const auto& [name, why] : rows) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"run"}, {"config"}, {"args"}, {"seed", "-o", host / "s.iso"}}) {
      CAPTURE(command.front());
      Launcher launcher(
          host.settings({{"GUEST_PASSWORD", ""}, {"GUEST_PASSWORD_FILE", host / name}}), command);
      const auto finished = launcher.finish();
      CHECK(finished.status == 2);
      CHECK_MESSAGE(
          finished.log.find(fmt::format("error: GUEST_PASSWORD_FILE='{}': cannot be taken: {}\n"
                                        "  from:  GUEST_PASSWORD_FILE (environment)\n",
                                        host / name, why)) != finished.log.npos,
          finished.log);
      CHECK_FALSE(shows(finished.log + finished.output));
    }
  }
}

TEST_CASE("secrets: who only asks a running VM needs no password file") {
  const FakeHost host;
  Launcher launcher(run_settings(host, {}));
  REQUIRE(launcher.wait_for_log("The machine runs"));
  Launcher client(host.settings({{"GUEST_PASSWORD", ""}, {"GUEST_PASSWORD_FILE", "/nowhere"}}),
                  {"status", "--format=json"});
  CHECK(client.finish().status == 0);
  launcher.signal(SIGTERM);
  host.finish(launcher);
}

TEST_CASE("secrets: a disk that is kept is for its owner alone, also where a start was cut off") {
  const auto program = vmr::find_in_path("qemu-img");
  if (program.empty()) {
    MESSAGE("SKIPPED: there is no qemu-img here");
    return;
  }
  const TemporaryFolder folder;
  REQUIRE(vmr::capture({program, "create", "-q", "-f", "qcow2", folder / "image", "1M"}).ok);
  write_text(folder / "vm.qcow2.new", "half a disk");
  ::chmod((folder / "vm.qcow2.new").c_str(), 0644);
  vmr::LaunchPlan plan;
  plan.persistent_disk = vmr::Disk{folder / "image", "qcow2", folder / "vm.qcow2"};
  const auto log = standard_error_of([&] { vmr::prepare_files(plan); });
  CHECK(log == "[INFO] Made the persistent disk " + (folder / "vm.qcow2") + "\n");
  CHECK(fs::status(folder / "vm.qcow2").permissions() == only_owner);
  CHECK(vmr::capture({program, "check", "-q", folder / "vm.qcow2"}).ok);
}

TEST_CASE("secrets: TOML that cannot be read is not quoted") {
  const FakeHost host;
  for (const auto& line : {"guest_password = " + password, "guest_password = '" + password,
                           "guest_password = \"" + password + "\\q\""}) {
    write_text(host / "vm.toml", line + "\n");
    Launcher launcher(host.settings(), {"config", host / "vm.toml"});
    const auto finished = launcher.finish();
    CHECK(finished.status == 2);
    CHECK_FALSE_MESSAGE(shows(finished.log), finished.log);
  }
}
