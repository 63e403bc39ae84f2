// SPDX-License-Identifier: MIT
// What `doctor` makes of the user's own QEMU arguments.
#include "commands/doctor_report.hpp"
#include "support/doctor.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

namespace vmr::test {
namespace {

const std::string refused_frob = "QEMU does not start with -frob: -frob: invalid option";
const std::string fix =
    " -> correct EXTRA_ARGS, or what is behind -- (/usr/bin/qemu-system-x86_64 -help lists what "
    "there is)";
const std::string words = "qemu-system-x86_64: -frob: invalid option";

/// "STATUS CHECK", of the own arguments.
std::string own_arguments(const Strings& settings, const DoctorFacts& facts) {
  const auto report = report_of(settings, docker_host(), facts);
  return fmt::format("{} {}", status_of(report),
                     fmt::join(checks_of(report, "QEMU", "own arguments"), "\n"));
}

std::string verdict_of(const Strings& settings, const DoctorFacts& facts) {
  const auto text = report_table(report_of(settings, docker_host(), facts), false);
  return text.substr(0, text.find("\n\n") + 1);
}

TEST_CASE("own arguments that QEMU takes, and those that nobody tries") {
  const auto facts = docker_facts();
  CHECK(own_arguments({}, facts) == "0 ");
  CHECK(own_arguments({"EXTRA_ARGS=-device 'a b'"}, facts) ==
        "0 ok own arguments: QEMU starts with -device 'a b'");
  CHECK(verdict_of({"EXTRA_ARGS=-device 'a b'"}, facts) == "vm-runner run would work.\n");
  const std::string untried =
      "not tried, as they or what they name reach outside QEMU: -drive 'file=/a b'";
  CHECK(own_arguments({"EXTRA_ARGS=-drive 'file=/a b'"}, facts) ==
        "0 note own arguments: " + untried);
  CHECK(verdict_of({"EXTRA_ARGS=-drive 'file=/a b'"}, facts) ==
        "vm-runner run would work, if QEMU takes -drive 'file=/a b', which was not tried.\n");
  CHECK(own_arguments({"EXTRA_ARGS=-S -drive 'file=/a b'"}, facts) ==
        "0 note own arguments: QEMU starts with -S; " + untried);
  CHECK(verdict_of({"EXTRA_ARGS=-vnc :0 -serial 'a\nb'"}, facts) ==
        "vm-runner run would work, if QEMU takes -vnc :0, -serial 'a\\nb', which were not "
        "tried.\n");
}

TEST_CASE("own arguments that QEMU refuses") {
  auto facts = docker_facts();
  facts.qemu.refusal = words;
  CHECK(own_arguments({"ACCEL=tcg", "EXTRA_ARGS=-frob"}, facts) ==
        "1 FAIL own arguments: " + refused_frob + fix);
  CHECK(own_arguments({"ACCEL=tcg", "EXTRA_ARGS=-frob -hda /x"}, facts) ==
        "1 FAIL own arguments: " + refused_frob +
            "; not tried, as they or what they name reach outside QEMU: -hda /x" + fix);
  CHECK(own_arguments({"EXTRA_ARGS=-frob"}, facts) ==
        "0 warn own arguments: " + refused_frob + "; under KVM it does" + fix);
  facts.qemu.kvm_refusal = words;
  CHECK(own_arguments({"EXTRA_ARGS=-frob"}, facts) ==
        "1 FAIL own arguments: " + refused_frob + fix);
  CHECK(verdict_of({"EXTRA_ARGS=-frob -hda /x"}, facts) ==
        "vm-runner run would not work: 1 of the checks failed (exit status 1).\n");
  facts.qemu.refusal.clear();
  CHECK(own_arguments({"EXTRA_ARGS=-frob"}, facts) ==
        "0 warn own arguments: " + refused_frob + "; under TCG it does" + fix);
  CHECK(own_arguments({"ACCEL=kvm", "EXTRA_ARGS=-frob"}, facts) ==
        "1 FAIL own arguments: " + refused_frob + fix);
}

TEST_CASE("own arguments that QEMU takes or refuses where it can open nothing") {
  auto facts = docker_facts();
  facts.qemu.takes_untried = true;
  CHECK(own_arguments({"EXTRA_ARGS=-vnc :0"}, facts) ==
        "0 note own arguments: QEMU takes -vnc :0; whether it can open what that names was "
        "not tried");
  CHECK(verdict_of({"EXTRA_ARGS=-vnc :0"}, facts) ==
        "vm-runner run would work, if QEMU can open what -vnc :0 names.\n");
  CHECK(verdict_of({"EXTRA_ARGS=-vnc :0 -serial 'a\nb'"}, facts) ==
        "vm-runner run would work, if QEMU can open what -vnc :0, -serial 'a\\nb' name.\n");
  facts.qemu.untried_refusal = words;
  facts.qemu.takes_untried = false;
  CHECK(own_arguments({"EXTRA_ARGS=-serial frob"}, facts) ==
        "1 FAIL own arguments: QEMU does not start with -serial frob: -frob: invalid option" + fix);
}

TEST_CASE("own arguments are not blamed for a machine that does not start") {
  auto facts = docker_facts();
  facts.qemu.machine_problem = "qemu-system-x86_64: no";
  CHECK(own_arguments({"ACCEL=tcg", "EXTRA_ARGS=-frob"}, facts) == "1 ");
}

TEST_CASE("what was not tried may be any text and any length") {
  for (const auto& name : hostile_names()) {
    const Report made{ExitStatus::ok, {}, {name}};
    const auto text = report_table(made, false);
    CHECK(text.starts_with("vm-runner run would work, if QEMU takes"));
    CHECK(text.ends_with("tried.\n"));
    CHECK(text.find('\t') == std::string::npos);
  }
}

}  // namespace
}  // namespace vmr::test
