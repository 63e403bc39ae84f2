// SPDX-License-Identifier: MIT
// `doctor` in containers: what it says is so, and the flags that it prints do what it says.
#include "base/shell_words.hpp"
#include "build_paths.hpp"
#include "support/container.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace vmr::test;

namespace {

using Words = std::vector<std::string>;

namespace json = boost::json;

/// What doctor said in a container of these flags.
struct Diagnosis {
  json::object report;

  [[nodiscard]] std::int64_t status() const { return report.at("exit_status").as_int64(); }

  /// `key` of the first check `name` of `area`; empty when there is none.
  [[nodiscard]] std::string text(json::string_view area, json::string_view name,
                                 json::string_view key) const {
    for (const auto& value : report.at("checks").as_array()) {
      const auto& check = value.as_object();
      if (check.at("area").as_string() != area || check.at("name").as_string() != name) continue;
      return std::string(check.at(key).as_string());
    }
    return {};
  }
};

Diagnosis diagnose_in_container(const Words& flags) {
  Words words = {"run", "--rm"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {built_image(), "doctor", "--format=json"});
  const auto run = run_docker(words);
  INFO(run.output << run.errors);
  Diagnosis diagnosis{json::parse(run.output).as_object()};
  CHECK(run.ok == (diagnosis.status() == 0));
  return diagnosis;
}

/// The flags behind "docker run" or "podman run" in a fix, up to a comma.
Words flags_in(const std::string& fix) {
  const auto start = fix.find(" run ");
  REQUIRE(start != fix.npos);
  const auto flags = fix.substr(start + 5);
  auto words = vmr::shell_split(flags.substr(0, flags.find(", ")));
  REQUIRE(words);
  return *words;
}

}  // namespace

TEST_CASE("doctor in a plain container finds that run works and what more there could be") {
  if (!has_docker()) return;
  const auto plain = diagnose_in_container({"--network", "none"});
  CHECK(plain.status() == 0);
  CHECK(plain.text("machine", "place", "evidence").find("container, ") != std::string::npos);
  CHECK(plain.text("machine", "place", "evidence").ends_with(", as root, PID 1"));
  CHECK(plain.text("machine", "KVM", "result") == "warn");
  CHECK(flags_in(plain.text("machine", "KVM", "fix")) == Words{"--device", "/dev/kvm"});
  CHECK(plain.text("virtiofsd", "sandbox", "evidence") ==
        "'chroot', the strongest that works here");
  CHECK(plain.text("guest", "image", "result") == "ok");
  CHECK(plain.text("ports", "SSH", "evidence").find("-p 127.0.0.1:2222:2222") != std::string::npos);
}

TEST_CASE("the flags that doctor prints bring the capabilities back") {
  if (!has_docker()) return;
  Words flags = {"--cap-drop", "ALL", "-e", "FILESYSTEM_SOURCE=/share", "-e", "GUEST_PASSWORD=x"};
  const auto without = diagnose_in_container(flags);
  CHECK(without.status() == 3);
  CHECK(without.text("virtiofsd", "sandbox", "result") == "warn");
  const auto more = flags_in(without.text("privileges", "capabilities", "fix"));
  flags.insert(flags.end(), more.begin(), more.end());
  const auto with = diagnose_in_container(flags);
  CHECK(with.status() == 0);
  CHECK(with.text("privileges", "capabilities", "result") == "ok");
  CHECK(with.text("virtiofsd", "sandbox", "evidence") == "'chroot', the strongest that works here");
}

TEST_CASE("the flags that doctor prints give the sandbox namespace") {
  if (!has_docker()) return;
  auto flags = flags_in(diagnose_in_container({}).text("virtiofsd", "sandbox", "fix"));
  for (auto& word : flags) {
    if (word == "seccomp=docker/seccomp-virtiofs.json") {
      word = "seccomp=" SOURCE_FOLDER "/docker/seccomp-virtiofs.json";
    }
  }
  CHECK(diagnose_in_container(flags).text("virtiofsd", "sandbox", "evidence") ==
        "'namespace', the strongest");
}

TEST_CASE("doctor in a container as an ordinary user without a writable file system") {
  if (!has_docker()) return;
  const auto user = diagnose_in_container({"--user", "1000:1000", "--read-only", "--tmpfs", "/tmp",
                                           "--tmpfs", "/var/tmp", "--cap-drop", "ALL"});
  CHECK(user.status() == 0);
  CHECK(user.text("machine", "place", "evidence").ends_with(", as user 1000:1000, PID 1"));
  CHECK(user.text("privileges", "capabilities", "evidence") == "none; an ordinary user needs none");
}
