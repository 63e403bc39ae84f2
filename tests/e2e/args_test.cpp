// SPDX-License-Identifier: MIT
// What `args` prints is what `run` starts.
#include "base/printable.hpp"
#include "build_paths.hpp"
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace vmr::test;

namespace {

namespace json = boost::json;
using Lines = std::vector<std::string>;
using Processes = std::multimap<std::string, Lines>;  ///< by the name of the program

constexpr const char* hostile_tag = "a,b 'c' \"$(d)\" %n \\ ü";

/// Two shares of each kind with names that are hard to quote.
Launcher::Variables settings(const TemporaryFolder& host) {
  // A name that looks like a mistake is not made.
  std::filesystem::create_directory(host / "9p 'x'\n\"$y\"");
  return join(
      join(tiny_settings(),
           {{"GUEST_NAME", "args-test"}, {"EXTRA_ARGS", "-fw_cfg 'name=opt/x,string=a b'"}}),
      join(join(share(1, {{"SOURCE", host / "virtio,fs"}}),
                share(2, {{"SOURCE", host / "9p 'x'\n\"$y\""},
                          {"TARGET", hostile_tag},
                          {"DRIVER", "9p"},
                          {"ACCESSMODE", "mapped"}})),
           join(share(3, {{"SOURCE", host / "third"}, {"TARGET", "x\\,y%s"}}),
                share(5, {{"SOURCE", host / "fifth"}, {"DRIVER", "9p"}, {"MOUNT", "/srv/f f"}}))));
}

Lines words_of(const json::value& array) {
  Lines words;
  for (const auto& word : array.as_array()) words.emplace_back(word.as_string());
  return words;
}

std::string program_of(const Lines& argv) {
  return std::filesystem::path(argv.front()).filename().string();
}

Processes processes_of(const json::value& printed) {
  Processes processes;
  const auto add = [&](const Lines& argv) { processes.emplace(program_of(argv), argv); };
  for (const auto& helper : printed.at("helpers").as_array()) add(words_of(helper.at("argv")));
  add(words_of(printed.at("qemu")));
  return processes;
}

/// What `--format=lines` shows of the same processes: a heading each, then an argument a line.
std::string lines_for(const json::value& printed) {
  std::string text;
  const auto add = [&](std::string_view name, const json::value& argv) {
    text += fmt::format("# {}\n", name);
    for (const auto& word : words_of(argv)) text += vmr::on_one_line(word) + "\n";
  };
  for (const auto& helper : printed.at("helpers").as_array()) {
    add(std::string(helper.at("name").as_string()), helper.at("argv"));
  }
  add("qemu", printed.at("qemu"));
  return text;
}

/// Where the descriptor `fd` of the process leads; a file that was removed is named as before.
std::string path_of_descriptor(pid_t pid, const std::string& fd) {
  constexpr std::string_view removed = " (deleted)";
  auto path = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/{}", pid, fd)).string();
  if (path.ends_with(removed)) path.resize(path.size() - removed.size());
  return path;
}

/// `path` with each comma behind `escape`, as an option takes it.
std::string in_option(const std::string& path, char escape) {
  std::string text;
  for (const char c : path) {
    if (c == ',' || (c == '\\' && escape == '\\')) text += escape;
    text += c;
  }
  return text;
}

/// A word of the process with the path of what the launcher has opened for it.
std::string with_path(pid_t pid, std::string word, const std::string& mounted_at) {
  constexpr std::string_view opened = "/proc/self/fd/";
  const auto at = word.find(opened);
  if (at != word.npos) {
    const auto start = at + opened.size();
    const auto end = std::min(word.find_first_not_of("0123456789", start), word.size());
    const auto path = path_of_descriptor(pid, word.substr(start, end - start));
    word.replace(at, end - at, in_option(path, ','));
  }
  // Its source is open beside the socket, and mounted where only it finds it.
  const auto folder = word.find(mounted_at);
  if (word.starts_with("source=") && folder != word.npos) {
    word.replace(folder, mounted_at.size(), in_option(path_of_descriptor(pid, "4"), '\\'));
  }
  return word;
}

Lines argv_of(pid_t pid) {
  Lines argv;
  std::istringstream text(read_file(fmt::format("/proc/{}/cmdline", pid)));
  for (std::string word; std::getline(text, word, '\0');) argv.push_back(word);
  return argv;
}

/// The processes of a run, with the paths.
Processes processes_of(const Launcher& running) {
  const auto mounted_at = running.runtime_folder() + "/vm-runner/args-test";
  Processes processes;
  for (const auto pid : running.child_pids()) {
    auto argv = argv_of(pid);
    for (auto& word : argv) word = with_path(pid, std::move(word), mounted_at);
    processes.emplace(program_of(argv), argv);
  }
  return processes;
}

/// The folder of the vm-runner under test first, since the script calls it by its name.
std::string path_variable() {
  return std::filesystem::path(VM_RUNNER).parent_path().string() + ":" + std::getenv("PATH");
}

}  // namespace

TEST_CASE("args prints the very command lines of the processes of a run") {
  const TemporaryFolder host;
  const auto variables = settings(host);
  Launcher running(join(variables, {{"CMDLINE", "tiny.stay"}}));
  REQUIRE(running.wait_for_output("TINY: ready"));

  const auto again =
      join(variables, {{"CMDLINE", "tiny.stay"}, {"XDG_RUNTIME_DIR", running.runtime_folder()}});
  const auto as_json = run_launcher(again, {"args", "--format=json"});
  CHECK(as_json.status == 0);
  // Only which sandbox virtiofsd gets, which depends on this machine.
  CHECK(as_json.log.starts_with("[INFO] virtiofsd runs in its sandbox "));
  CHECK(lines_of(as_json.log).size() == 1);
  const auto printed = json::parse(as_json.output);
  CHECK(processes_of(printed) == processes_of(running));
  CHECK(processes_of(printed).size() == 3);

  const auto as_lines = run_launcher(again, {"args", "--format=lines"});
  CHECK(as_lines.status == 0);
  CHECK(as_lines.output == lines_for(printed));

  running.signal(SIGTERM);
  CHECK(running.finish().status == 0);
}

TEST_CASE("the script that args prints runs the machine with its shares") {
  const TemporaryFolder host;
  const TextFile user_data(
      guest_script(fmt::format("echo first > '/mnt/virtio,fs/file'\n"
                               "echo second > /mnt/'a,b '\\''c'\\'' \"$(d)\" %n \\ ü'/file\n"
                               "echo third > '/mnt/x\\,y%s/file'\n"
                               "echo fifth > '/srv/f f/file'\n")));
  const TemporaryFolder runtime;
  const auto variables = join(settings(host), {{"CLOUD_INIT_USER_DATA", user_data.path()},
                                               {"XDG_RUNTIME_DIR", runtime.path()},
                                               {"XDG_CONFIG_HOME", runtime.path()}});
  const auto script = run_launcher(variables, {"args", "--explain"});
  CHECK(script.status == 0);
  CHECK(script.output.find("\n  # share #2: ") != std::string::npos);
  const TextFile file(script.output);

  // Nothing but PATH: the script holds all the settings.
  const auto run = vmr::capture(
      {vmr::find_in_path("env"), "-i", "PATH=" + path_variable(), "bash", file.path()});

  CHECK_MESSAGE(run.ok, run.errors);
  CHECK(read_file(host / "virtio,fs/file") == "first\n");
  CHECK(read_file(host / "9p 'x'\n\"$y\"/file") == "second\n");
  CHECK(read_file(host / "third/file") == "third\n");
  CHECK(read_file(host / "fifth/file") == "fifth\n");
  CHECK_FALSE(std::filesystem::exists(runtime / "vm-runner/args-test"));
}
