// SPDX-License-Identifier: MIT
// ACCEL=auto ends up running on every machine, also where /dev/kvm is there and does not work.
#include "base/unique_fd.hpp"
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// What KVM is worth here, found without vm-runner: the tiny guest is booted with QEMU alone.
struct Kvm {
  bool opens = false;
  bool works = false;
  std::string last_words;  ///< of a QEMU that died of it
};

Kvm look_at_kvm() {
  Kvm kvm;
  kvm.opens = static_cast<bool>(vmr::UniqueFd(::open("/dev/kvm", O_RDWR | O_CLOEXEC)));
  const auto guest = tiny_guest();
  const auto run = vmr::capture({vmr::find_in_path("timeout"),
                                 "60",
                                 vmr::find_in_path("qemu-system-x86_64"),
                                 "-nodefaults",
                                 "-display",
                                 "none",
                                 "-machine",
                                 "q35",
                                 "-accel",
                                 "kvm",
                                 "-cpu",
                                 "host",
                                 "-m",
                                 "256M",
                                 "-kernel",
                                 guest + "/vmlinux",
                                 "-initrd",
                                 guest + "/initrd.img",
                                 "-append",
                                 "console=ttyS0 panic=-1",
                                 "-no-reboot",
                                 "-serial",
                                 "stdio"});
  kvm.works = run.output.find("TINY: ready") != std::string::npos;
  const auto errors = lines_of(run.errors);
  if (!kvm.works && !errors.empty()) kvm.last_words = errors.back();
  const std::string found = kvm.works   ? "works"
                            : kvm.opens ? "opens and does not work: " + kvm.last_words
                                        : "is missing";
  MESSAGE("KVM here " << found);
  return kvm;
}

/// `text` from its first character after the program's name, which depends on how it was called.
std::string without_program(const std::string& text) {
  const auto end = text.find(": ");
  return end == text.npos ? text : text.substr(end + 2);
}

}  // namespace

TEST_CASE("an accelerator is found wherever there is one and a wished one is insisted on") {
  const auto kvm = look_at_kvm();

  const auto automatic = boot({{"ACCEL", ""}}, "say booted\n");
  CHECK(automatic.status == 0);
  CHECK(automatic.said == Lines{"booted"});
  CHECK(
      automatic.log_with("The machine runs") ==
      Lines{std::string("[INFO] The machine runs (accelerator=") + (kvm.works ? "kvm)" : "tcg)")});
  const auto warnings = automatic.log_with("[WARN]");
  CHECK(automatic.log_with("[ERROR]") == Lines{});
  CHECK(warnings.size() == (kvm.works ? 0 : 1));

  for (const Launcher::Variables& wish :
       {Launcher::Variables{{"ACCEL", "kvm"}},
        Launcher::Variables{{"ACCEL", ""}, {"REQUIRE_KVM", "1"}}}) {
    const auto insisted = boot(wish, "say booted\n");
    CHECK(insisted.status == (kvm.works ? 0 : 3));
    CHECK(insisted.said == (kvm.works ? Lines{"booted"} : Lines{}));
    if (kvm.opens && !kvm.works) {
      // QEMU says it to both: the machine that insists, and the one that goes on without.
      REQUIRE_FALSE(kvm.last_words.empty());
      const auto words = without_program(kvm.last_words);
      CAPTURE(words);
      CHECK(insisted.log_with(words).size() == 1);
      CHECK(insisted.log.back() ==
            "[ERROR] KVM does not work here; ACCEL=tcg runs without it, slowly");
      REQUIRE(warnings.size() == 1);
      CHECK(
          warnings.front().starts_with("[WARN] KVM does not work here, the guest runs under tcg "
                                       "instead, many times slower: QEMU died ("));
      CHECK(warnings.front().find(words) != std::string::npos);
    }
    if (!kvm.opens) {
      CHECK(insisted.log.front().find("KVM cannot be used: /dev/kvm: ") != std::string::npos);
      REQUIRE(warnings.size() == 1);
      CHECK(warnings.front().starts_with("[WARN] KVM cannot be used: /dev/kvm: "));
    }
  }
}
