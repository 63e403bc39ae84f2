// SPDX-License-Identifier: MIT
#include "config/raw_settings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vmr;
using Values = std::map<SettingKey, Given<std::string>>;
using Strings = std::vector<std::string>;

namespace {

Given<std::string> said(const std::string& variable, const std::string& value) {
  return {value, {Source::environment, variable, ""}};
}

Problem unknown(const std::string& variable, const std::string& hint) {
  return {variable + ": unknown variable", variable + " (environment)", hint};
}

const std::string no_idea =
    "shares are FILESYSTEM_…, FILESYSTEM2_… to FILESYSTEM999_…; vm-runner --help lists every "
    "setting";

}  // namespace

TEST_CASE("variables become settings of the machine and of numbered shares") {
  const auto raw = read_environment({"MEMORY=2G", "FILESYSTEM_SOURCE=/a", "FILESYSTEM2_SOURCE=/b",
                                     "FILESYSTEM10_READONLY=1", "FILESYSTEM999_TARGET=t"});
  CHECK(raw.values == Values{
                          {{0, "MEMORY"}, said("MEMORY", "2G")},
                          {{1, "SOURCE"}, said("FILESYSTEM_SOURCE", "/a")},
                          {{2, "SOURCE"}, said("FILESYSTEM2_SOURCE", "/b")},
                          {{10, "READONLY"}, said("FILESYSTEM10_READONLY", "1")},
                          {{999, "TARGET"}, said("FILESYSTEM999_TARGET", "t")},
                      });
  CHECK(raw.problems.empty());
  CHECK(raw.warnings.empty());
}

TEST_CASE("an empty variable counts as unset whatever its name") {
  const auto raw = read_environment({"MEMORY=", "FILESYSTEM_SOURCE=", "FILESYSTEM_ACESSMODE=",
                                     "GUEST_=", "MEMROY=", "FILESYSTEM1_SOURCE="});
  CHECK(raw.values.empty());
  CHECK(raw.problems.empty());
  CHECK(raw.warnings.empty());
}

TEST_CASE("values are taken as they are") {
  const Strings hostile = {
      "a=b",   "=",  " ",        "/a b,c",       "line\nline\n", "\"'`",
      "$(id)", "%s", "größe 中", "\x01\x7f\xff", "MEMORY=1",     std::string(100000, 'x')};
  for (const auto& value : hostile) {
    CAPTURE(value);
    const auto raw = read_environment({"FILESYSTEM_SOURCE=" + value, "CMDLINE=" + value});
    CHECK(raw.values == Values{{{0, "CMDLINE"}, said("CMDLINE", value)},
                               {{1, "SOURCE"}, said("FILESYSTEM_SOURCE", value)}});
    CHECK(raw.problems.empty());
  }
}

TEST_CASE("of two equal variables the first counts") {
  const auto raw = read_environment({"CPUS=1", "CPUS=2"});
  CHECK(raw.values == Values{{{0, "CPUS"}, said("CPUS", "1")}});
}

TEST_CASE("a misspelt variable of ours is a problem that names the right one") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"FILESYSTEM_ACESSMODE", "did you mean FILESYSTEM_ACCESSMODE?"},
      {"FILESYSTEM12_ACESSMODE", "did you mean FILESYSTEM12_ACCESSMODE?"},
      {"FILESYSTEM1_SOURCE", "did you mean FILESYSTEM_SOURCE?"},
      {"FILESYSTEM0_SOURCE", "did you mean FILESYSTEM_SOURCE?"},
      {"FILESYSTEM02_SOURCE", "did you mean FILESYSTEM2_SOURCE?"},
      {"FILESYSTEM2SOURCE", "did you mean FILESYSTEM2_SOURCE?"},
      {"FILESYSTEMS_SOURCE", "did you mean FILESYSTEM_SOURCE?"},
      {"FILESYSTEM_source", "did you mean FILESYSTEM_SOURCE?"},
      {"FILESYSTEM-2_SOURCE", "did you mean FILESYSTEM2_SOURCE?"},
      {"FILESYSTEM_2_SOURCE", "did you mean FILESYSTEM2_SOURCE?"},
      {"FILESYSTEM1000_SOURCE", no_idea},
      {"FILESYSTEM99999999999999999999_SOURCE", no_idea},
      {"FILESYSTEM", no_idea},
      {"FILESYSTEM_", no_idea},
      {"FILESYSTEM2_", no_idea},
      {"FILESYSTEM_WHATEVER", no_idea},
      {"CLOUD_INITT", "did you mean CLOUD_INIT?"},
      {"CLOUD_INIT_USERDATA", "did you mean CLOUD_INIT_USER_DATA?"},
      {"GUEST_PASWORD", "did you mean GUEST_PASSWORD?"},
      {"GUEST_", "vm-runner --help lists every setting"},
      {"GUEST_COLOUR_OF_THE_SKY", "vm-runner --help lists every setting"},
  };
  for (const auto& [variable, hint] : table) {
    CAPTURE(variable);
    const auto raw = read_environment({variable + "=hunter2"});
    CHECK(raw.values.empty());
    CHECK(raw.problems == std::vector<Problem>{unknown(variable, hint)});
    CHECK(raw.warnings.empty());
  }
}

/// Each variable of `table` is ignored with a warning that names the one that was meant.
void check_warned(const std::vector<std::pair<std::string, std::string>>& table) {
  for (const auto& [variable, meant] : table) {
    CAPTURE(variable);
    const auto raw = read_environment({variable + "=hunter2"});
    CHECK(raw.values.empty());
    CHECK(raw.problems.empty());
    CHECK(raw.warnings ==
          Strings{variable + ": unknown variable, ignored; did you mean " + meant + "?"});
  }
}

TEST_CASE("another variable one slip away from one of ours is a warning") {
  check_warned({
      {"MEMROY", "MEMORY"},
      {"MEMORYS", "MEMORY"},
      {"KERNE", "KERNEL"},
      {"EXTRA_ARG", "EXTRA_ARGS"},
      {"STOP_TIMEOT", "STOP_TIMEOUT"},
      {"FILESYTEM_SOURCE", "FILESYSTEM_SOURCE"},
      {"FILESYTEM3_SOURCE", "FILESYSTEM3_SOURCE"},
      {"SSH_PUBKEYS", "SSH_PUBKEY"},
  });
}

TEST_CASE("a variable that is surely ours in lower case is a warning") {
  check_warned({
      {"filesystem_source", "FILESYSTEM_SOURCE"},
      {"filesystem12_ReadOnly", "FILESYSTEM12_READONLY"},
      {"filesystem_sorce", "FILESYSTEM_SOURCE"},
      {"cloud_init", "CLOUD_INIT"},
      {"guest_password", "GUEST_PASSWORD"},
  });
}

TEST_CASE("an ordinary environment makes no noise") {
  const auto raw = read_environment({"SSH_AUTH_SOCK=/tmp/x",
                                     "SSH_CONNECTION=a b",
                                     "SSH_CLIENT=a",
                                     "SSH_TTY=/dev/pts/0",
                                     "MEMORY_PRESSURE_WATCH=/sys/x",
                                     "MEMORY_PRESSURE_WRITE=c29",
                                     "LOG_LEVEL=info",
                                     "MACHTYPE=x86_64-pc-linux-gnu",
                                     "HOSTTYPE=x86_64",
                                     "PATH=/bin",
                                     "HOME=/root",
                                     "TERM=xterm",
                                     "DATADIR=/d",
                                     "XDG_DATA_DIRS=/usr/share",
                                     "ARCHES=x",
                                     "CPU=2",
                                     "memory=1",
                                     "Kernel=x",
                                     "_=/usr/bin/env",
                                     "BASH_FUNC_x%%=() {  echo a\n}",
                                     "PWD=/",
                                     "LANG=C.UTF-8",
                                     "HOSTNAME=h",
                                     "KUBERNETES_PORT=tcp://10.0.0.1:443",
                                     "no equals sign",
                                     "",
                                     "=C:=x",
                                     "guest_home=/x",
                                     "filesystems=/x",
                                     "Filesystem_source=/x",
                                     std::string(100000, 'M') + "=1"});
  CHECK(raw.values.empty());
  CHECK(raw.problems.empty());
  CHECK(raw.warnings == Strings{});
}

TEST_CASE("a hostile name is told on one line") {
  const auto raw = read_environment({"FILESYSTEM\nerror: x=1"});
  REQUIRE(raw.problems.size() == 1);
  const auto told = format(raw.problems.front());
  CHECK(std::count(told.begin(), told.end(), '\n') == 3);
}
