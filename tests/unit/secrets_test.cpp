// SPDX-License-Identifier: MIT
#include "config/secrets.hpp"

#include "commands/config_text.hpp"
#include "config/load.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

const std::string object = "secret,id=s,data=hunter2,format=raw";

TEST_CASE("the value of a secret setting is found in a word, whatever the case of its name") {
  const auto open_part = [](const std::string& word) { return word.substr(0, secret_start(word)); };
  CHECK(open_part("GUEST_PASSWORD=hunter2") == "GUEST_PASSWORD=");
  CHECK(open_part("guest_password=a=b") == "guest_password=");
  CHECK(open_part("--set=Guest_Password=hunter2") == "--set=Guest_Password=");
  for (const std::string word :
       {"", "MEMORY=2G", "--set", "--set=", "--set=MEMORY=1", "GUEST_NAME=", "MY_GUEST_PASSWORD=x",
        "GUEST_PASSWORD", "=GUEST_PASSWORD"}) {
    CHECK(open_part(word) == word);
  }
}

TEST_CASE("secrets of QEMU's own are left out of what is shown") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {object, "secret,id=s,data=…,format=raw"},
      {"secret,data=one,,two", "secret,data=…"},
      {"-object secret,id=s,data=one -m 1G", "-object secret,id=s,data=…"},
      {"password=a,b", "password=…,b"},
      {"vnc=:1,password=a,passwd=b", "vnc=:1,password=…,passwd=…"},
      {R"({"qom-type": "secret", "id": "s", "data": "x"})", "{…}"},
      {R"(-object '{"qom-type":"secret","data":"x"}')", "-object '{…}"}};
  for (const auto& [argument, shown] : rows) {
    CHECK(without_secrets(argument) == shown);
    CHECK(has_secret(argument));
  }
  for (const std::string argument :
       {"secret,id=s,file=/run/key", "driver=rbd,password-secret=s", "data=/srv", "-m", "",
        R"({"driver":"virtio-net","id":"data"})"}) {
    CHECK(without_secrets(argument) == argument);
    CHECK_FALSE(has_secret(argument));
  }
  CHECK(command_for_log({"qemu", "-object", object, "-m", "1"}) ==
        "qemu -object 'secret,id=s,data=…,format=raw' -m 1");
}

TEST_CASE("a secret among QEMU's arguments is warned of, without it") {
  const auto verdict = judge({"EXTRA_ARGS=-object " + object}, docker_host());
  CHECK(verdict.problems == std::vector<Problem>{});
  CHECK(verdict.warnings ==
        Strings{"EXTRA_ARGS (environment): 'secret,id=s,data=…,format=raw': every user of this "
                "machine can read it in QEMU's command line; give it in a file of mode 0600 "
                "(-object secret,id=ID,file=FILE)"});
}

TEST_CASE("no message quotes a secret") {
  Arguments arguments;
  arguments.assignments = {"EXTRA_ARGS='-object " + object, "GUEST_PASSWORD=hunter2"};
  const auto loaded = load_config(arguments, {}, {});
  REQUIRE(loaded.problems.size() == 1);
  const auto text = format(loaded.problems.front());
  CHECK(text.find("EXTRA_ARGS='") != text.npos);
  CHECK(text.find("hunter2") == text.npos);
  CHECK(describe(loaded.config.guest_password.origin).find("hunter2") == std::string::npos);
}

TEST_CASE("the configuration shows secrets only when it is asked to") {
  Arguments arguments;
  arguments.assignments = {"EXTRA_ARGS=-object " + object, "GUEST_PASSWORD=hunter2"};
  const auto loaded = load_config(arguments, {}, {});
  REQUIRE(loaded.problems == std::vector<Problem>{});
  for (const bool show : {true, false}) {
    const SaidConfig said{loaded.given, {"-object", object}, show};
    for (const auto& text : {config_as_toml(said, {}), config_as_json(said, {})}) {
      CAPTURE(text);
      CHECK((text.find("hunter2") != text.npos) == show);
    }
  }
  const SaidConfig behind{{}, {"-object", object}, false};
  CHECK(config_as_toml(behind, {}).find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace vmr::test
