// SPDX-License-Identifier: MIT
#include "spec/share_source.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {

TEST_CASE("a missing source is not made where it was hardly meant as a path") {
  const std::string variable = "'$' is a variable that nobody has filled in";
  const std::string docker = "':' separates what docker run -v takes";
  const std::string windows = "it is a path of Windows, or has a backslash that quotes";
  const std::string percent = "'%' begins something that nobody has filled in";
  const auto pattern = [](char c) {
    return std::string("'") + c + "' is of a pattern, and a share is one folder";
  };
  const std::string quote = "it has a stray quote at one end";
  const std::string comma = "it has a stray comma at one end";
  struct Row {
    std::string source;
    std::string reason;
  };
  const std::vector<Row> rows = {
      {"${PWD}/x", variable},
      {"$HOME/x", variable},
      {"$(pwd)", variable},
      {"/srv/${NAME:-x}", variable},
      {"file:///x", "'file://' begins an address"},
      {"http://host/x", "'http://' begins an address"},
      {"/share:/mnt/x", docker},
      {"/share:ro", docker},
      {"nas:/export", docker},
      {"C:\\x", windows},
      {"C:/x", windows},
      {"\\\\server\\x", windows},
      {"/srv/my\\ files", windows},
      {"/srv/*", pattern('*')},
      {"/srv/?", pattern('?')},
      {"/srv/[ab]", pattern('[')},
      {"/srv/{a,b}", pattern('{')},
      {"~bob/x", "'~' with a name behind it is filled in by shells only"},
      {"%h/x", percent},
      {"%USERPROFILE%", percent},
      {"/srv/my%20files", percent},
      {"<path>", "'<' is for shells, or where something is to be filled in"},
      {"/a;/b", "';' is for shells, or where something is to be filled in"},
      {"/share # mine",
       "' #' was to begin a comment, which docker --env-file keeps as part of the value"},
      {"/a\n/b", "it has control characters"},
      {"/share\"", quote},
      {"\"/share", quote},
      {"/share'", quote},
      {"'/share", quote},
      {"/share\"/", quote},
      {"/srv/\"share", quote},
      {"/srv/'my files'", quote},
      {"\"/share\",", quote},
      {"\"my\" files", quote},
      {"/share\u201d", quote},
      {"\u201c/share", quote},
      {"/share,", comma},
      {"/share,/", comma},
      {",/share", comma},
      {"/share;", "';' is for shells, or where something is to be filled in"},
  };
  for (const auto& [source, reason] : rows) {
    for (const std::string more : {"FILESYSTEM_READONLY=0", "FILESYSTEM_READONLY=1"}) {
      CAPTURE(source);
      const auto verdict = judge({"FILESYSTEM_SOURCE=" + source, more}, docker_host());
      REQUIRE(verdict.problems.size() == 1);
      CHECK(verdict.problems.front().message ==
            "FILESYSTEM_SOURCE='" + source + "': no such directory, and none is made: " + reason);
      CHECK(verdict.problems.front().status == ExitStatus::usage);
      CHECK(verdict.warnings == Strings{});
    }
  }
}

TEST_CASE("a source that is there may have any name, and a missing one most") {
  for (const std::string name :
       {"${PWD}", "a:b", "C:\\x", "*", "~bob", "%h", "<x>", "\"q\"", " blank ", "two\nlines", "q\"",
        "\"q", "'q", "q,", ",q", "q;", "\u201cq"}) {
    CAPTURE(name);
    auto host = docker_host();
    host.files["/work/" + name] = folder();
    CHECK(judge({"FILESYSTEM_SOURCE=/work/" + name, "FILESYSTEM_TARGET=data"}, host) == Verdict{});
  }
  for (const std::string name : {"it's", "a,b=c", "100%", "100%-x", "two words", "#x", "\xc3\xbc",
                                 "-rf", "a\"b", "a, b", ",a", "~", "a~b", "(x)!"}) {
    CAPTURE(name);
    CHECK(spec_of({"FILESYSTEM_SOURCE=/work/" + name, "FILESYSTEM_TARGET=data"}, docker_host())
              .shares.front()
              .create_source);
  }
}

TEST_CASE("so are other folders that are made") {
  for (const std::string setting : {"DATA_DIR", "BACKING_DIR"}) {
    for (const std::string value : {"/data\"", "'/data", "/data,"}) {
      const auto problems = judge({setting + "=" + value}, docker_host()).problems;
      REQUIRE(problems.size() == 1);
      CHECK(problems.front().message.starts_with(setting + "='" + value +
                                                 "': no such directory, and none is made: "));
      auto host = docker_host();
      host.files[value.front() == '/' ? value : host.working_folder + "/" + value] = folder();
      CHECK(judge({setting + "=" + value}, host) == Verdict{});
    }
  }
}

TEST_CASE("a missing source is only made where the folder it would be in is there") {
  auto host = docker_host();
  FileFacts missing;
  missing.missing_parent = "/srv/typo";
  host.files = {{"/srv/typo/data", missing}};
  CHECK(judge({"FILESYSTEM_SOURCE=/srv/typo/data"}, host) ==
        Verdict{{{"FILESYSTEM_SOURCE='/srv/typo/data': no such directory, and neither is "
                  "'/srv/typo', in which it would be made",
                  "FILESYSTEM_SOURCE (environment)", "correct the path, or create it (mkdir -p)"}},
                {}});
}

TEST_CASE("sources that show the kernel and its devices are worth a warning") {
  const auto said = [](const std::string& path, const std::string& file_system) {
    auto host = docker_host();
    host.files[path] = folder();
    host.files[path].kernel_file_system = file_system;
    return judge({"FILESYSTEM_SOURCE=" + path}, host);
  };
  const auto warned = [](const std::string& path, const std::string& what) {
    return Verdict{
        {},
        {"Filesystem #1: '" + path + "' holds no files of yours but this host's " + what +
         ": the guest sees them, and programs fail with them there; was another folder "
         "meant?"}};
  };
  CHECK(said("/proc", "proc") == warned("/proc", "kernel (proc)"));
  CHECK(said("/host/sys/class", "sysfs") == warned("/host/sys/class", "kernel (sysfs)"));
  CHECK(said("/dev", "") == warned("/dev", "devices"));
  CHECK(said("/dev/disk", "") == warned("/dev/disk", "devices"));
  CHECK(said("/dev/shm", "") == Verdict{});
  CHECK(said("/dev/shm/work", "") == Verdict{});
  CHECK(said("/device", "") == Verdict{});
}

}  // namespace vmr::test
