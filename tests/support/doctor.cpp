// SPDX-License-Identifier: MIT
#include "support/doctor.hpp"

#include <fmt/format.h>

#include <array>

namespace vmr::test {
namespace {

FolderFacts ext4() {
  return {"ext4", 51200, FolderFacts::Xattrs::work, ""};
}

std::string word_for_result(CheckResult result) {
  constexpr std::array<const char*, 4> words = {"ok", "note", "warn", "FAIL"};
  return words.at(static_cast<std::size_t>(result));
}

}  // namespace

DoctorFacts docker_facts() {
  DoctorFacts facts;
  facts.surroundings = Surroundings::docker;
  facts.cpu = {"AMD EPYC 7763 64-Core Processor", 4, "svm", "", false};
  facts.qemu = {"10.0.2", {"tcg", "kvm"}, true, true, "", ""};
  facts.virtiofsd_version = "1.13.2";
  auto& process = facts.process;
  process.capabilities = {
      "CHOWN",   "DAC_OVERRIDE",     "FOWNER",  "FSETID",     "KILL",  "SETGID",      "SETUID",
      "SETPCAP", "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"};
  process.no_capabilities.resize(27);
  process.seccomp_mode = 2;
  process.open_files = 1048576;
  process.locked_kib = 8192;
  process.memory_available = 14000;
  ImageFacts image;
  image.path = "/guest/disk.qcow2";
  image.asked = true;
  image.format = "qcow2";
  image.size = std::uint64_t{10} << 30;
  image.chain = {image.path};
  facts.image = image;
  facts.folders = {{"/var/tmp", {"overlay", 51200, FolderFacts::Xattrs::refused, ""}},
                   {"/run/vm-runner", {"overlay", 51200, FolderFacts::Xattrs::refused, ""}},
                   {"/share", ext4()}};
  return facts;
}

DoctorFacts debian_12_facts() {
  auto facts = docker_facts();
  facts.surroundings = Surroundings::machine;
  facts.cpu = {"Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", 16, "vmx", "", false};
  facts.qemu.version = "7.2.22";
  facts.virtiofsd_version = "7.2.22";
  auto& process = facts.process;
  process.no_capabilities.clear();
  process.seccomp_mode = 0;
  process.locked_kib.reset();
  return facts;
}

DoctorFacts ordinary_user_facts() {
  auto facts = docker_facts();
  facts.surroundings = Surroundings::machine;
  facts.process.capabilities.clear();
  facts.process.no_capabilities.resize(41);
  facts.process.seccomp_mode = 0;
  facts.folders["/run/user/1000/vm-runner"] = {"tmpfs", 1600, FolderFacts::Xattrs::refused, ""};
  return facts;
}

Report report_of(const Strings& settings, const Host& host, const DoctorFacts& facts) {
  return make_report(examine(load_config({}, settings, {}), host), facts);
}

Strings checks_of(const Report& report, const std::string& area, const std::string& name) {
  Strings lines;
  for (const auto& check : report.checks) {
    if (check.area != area || (!name.empty() && check.name != name)) continue;
    lines.push_back(fmt::format("{} {}: {}{}", word_for_result(check.result), check.name,
                                check.evidence, check.fix.empty() ? "" : " -> " + check.fix));
  }
  return lines;
}

Strings failures_of(const Report& report) {
  Strings lines;
  for (const auto& check : report.checks) {
    if (check.result != CheckResult::fail) continue;
    lines.push_back(
        fmt::format("{} {}: {} -> {}", check.area, check.name, check.evidence, check.fix));
  }
  return lines;
}

int status_of(const Report& report) {
  return static_cast<int>(report.status);
}

}  // namespace vmr::test
