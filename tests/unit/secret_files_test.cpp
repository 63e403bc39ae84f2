// SPDX-License-Identifier: MIT
#include "config/secret_files.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace vmr::test {
namespace {

constexpr const char* hint =
    "name a regular file of at most 4096 bytes with the value of GUEST_PASSWORD in it";

LoadedConfig loaded_with(const Strings& environment, const std::string& toml = {},
                         const Strings& assignments = {}) {
  Arguments arguments;
  arguments.assignments = assignments;
  return load_config(arguments, environment, {toml.empty() ? "" : "vm.toml", toml});
}

/// The configuration once the file, which one source names, has been read.
LoadedConfig taken(const std::string& text) {
  auto loaded = loaded_with({"GUEST_PASSWORD_FILE=/pw"});
  const auto files = find_secret_files(loaded.given);
  REQUIRE(files.size() == 1);
  CHECK(files.front().path.value == "/pw");
  take_secret(files.front(), text, loaded);
  return loaded;
}

TEST_CASE("a password is what its file has, without one newline at the end") {
  const Origin origin{Source::environment, "GUEST_PASSWORD_FILE", ""};
  const std::string hostile = " a,b 'c' \"d\" %s $HOME \xc3\xbc\n=";
  for (const auto& [text, password] : std::vector<std::pair<std::string, std::string>>{
           {"x", "x"},
           {"x\n", "x"},
           {"x\n\n", "x\n"},
           {hostile, hostile},
           {hostile + "\n", hostile},
           {"\n\n", "\n"},
           {std::string(511, 'p') + "\n", std::string(511, 'p')}}) {
    CAPTURE(text);
    const auto loaded = taken(text);
    CHECK(loaded.config.guest_password == Given<std::string>{password, origin});
    CHECK(loaded.problems == std::vector<Problem>{});
    // What `config` and `args --explain` print.
    CHECK(loaded.given == loaded_with({"GUEST_PASSWORD_FILE=/pw"}).given);
  }
  CHECK(taken("secret\r\n").warnings ==
        Strings{"GUEST_PASSWORD_FILE (environment): the file itself has a carriage return (\\r) at "
                "its end, which the value has then"});
}

TEST_CASE("a file that has no password") {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "it is empty"},
           {"\n", "it is empty"},
           {std::string("hunter2\0x", 9),
            "it has a zero byte in it, where a password would end"}}) {
    const auto loaded = taken(text);
    CHECK(loaded.config.guest_password.invalid);
    CHECK(loaded.config.guest_password.value.empty());
    CHECK(loaded.problems ==
          std::vector<Problem>{{"GUEST_PASSWORD_FILE='/pw': cannot be taken: " + why,
                                "GUEST_PASSWORD_FILE (environment)", hint}});
  }
}

TEST_CASE("a password and its file are refused together whoever gives them") {
  const auto problem = [](const std::string& from) {
    return std::vector<Problem>{
        {"GUEST_PASSWORD: given itself, and in the file of GUEST_PASSWORD_FILE", from,
         "leave one of them out (--set GUEST_PASSWORD= takes back what a file or the environment "
         "says)"}};
  };
  CHECK(loaded_with({"GUEST_PASSWORD=hunter2", "GUEST_PASSWORD_FILE=/pw"}).problems ==
        problem("GUEST_PASSWORD (environment) and GUEST_PASSWORD_FILE (environment)"));
  CHECK(loaded_with({"GUEST_PASSWORD=hunter2"}, "guest_password_file = \"/pw\"\n").problems ==
        problem("GUEST_PASSWORD (environment) and guest_password_file (vm.toml:1)"));
  CHECK(loaded_with({}, "guest_password = \"hunter2\"\n", {"guest_password_file=/pw"}).problems ==
        problem(
            "guest_password (vm.toml:1) and GUEST_PASSWORD_FILE (--set guest_password_file=/pw)"));
  for (const auto* taken_back : {"GUEST_PASSWORD=", "GUEST_PASSWORD_FILE="}) {
    CHECK(loaded_with({"GUEST_PASSWORD=hunter2", "GUEST_PASSWORD_FILE=/pw"}, {}, {taken_back})
              .problems == std::vector<Problem>{});
  }
}

TEST_CASE("no password is made up for one whose file cannot be read") {
  auto loaded = loaded_with({"GUEST_PASSWORD_FILE=/pw", "PERSIST=1", "DATA_DIR=/data"});
  refuse_secret(find_secret_files(loaded.given).front(), "it is a folder", loaded);
  const auto resolved = resolve(loaded.config, docker_host());
  CHECK(resolved.problems == std::vector<Problem>{});
  CHECK(resolved.spec.generated_password.empty());
  CHECK(loaded.problems ==
        std::vector<Problem>{{"GUEST_PASSWORD_FILE='/pw': cannot be taken: it is "
                              "a folder",
                              "GUEST_PASSWORD_FILE (environment)", hint}});
}

}  // namespace
}  // namespace vmr::test
