// SPDX-License-Identifier: MIT
#include "run/diagnosis.hpp"

#include <array>
#include <csignal>
#include <string_view>

namespace vmr {
namespace {

/// Words that a program is known to end with, and what they mean here.
struct Symptom {
  std::string_view words;
  std::string_view cause;
  std::string_view hint;
};

constexpr std::string_view memory_cause = "there is not enough memory for the guest";
constexpr std::string_view memory_hint =
    "lower MEMORY, or give the container or host more (docker run --memory)";
constexpr std::string_view files_cause = "the limit of open files is reached";
constexpr std::string_view files_hint =
    "raise it: docker run --ulimit nofile=1048576, or ulimit -n";
constexpr std::string_view lock_cause = "another process, probably another VM, uses the disk image";
constexpr std::string_view lock_hint =
    "stop it, or give this VM a BASE_IMAGE or DATA_DIR of its own";
constexpr std::string_view sandbox_cause = "this container does not let virtiofsd make its sandbox";

/// The first that fits is taken, so that the narrower words come first.
constexpr std::array symptoms = std::to_array<Symptom>({
    {"unshare(CLONE_FS) failed with EPERM",
     "this container's seccomp profile forbids unshare, which this virtiofsd needs",
     "docker run --security-opt seccomp=docker/seccomp-virtiofs.json, or FILESYSTEM_DRIVER=9p"},
    {"Error entering sandbox", sandbox_cause,
     "set FILESYSTEM_SANDBOX=auto, or FILESYSTEM_DRIVER=9p"},
    {"pivot_root", sandbox_cause, "set FILESYSTEM_SANDBOX=auto, or FILESYSTEM_DRIVER=9p"},
    {"Too many open files", files_cause, files_hint},
    {"RLIMIT_NOFILE", files_cause, files_hint},
    {"Cannot allocate memory", memory_cause, memory_hint},
    {"cannot set up guest memory", memory_cause, memory_hint},
    {"No space left on device", "a disk of the host is full",
     "make room where the image, DATA_DIR, TMPDIR and the runtime folder are"},
    {"Could not set up host forwarding rule", "the port is in use",
     "choose another SSH_PORT, or 0 for none"},
    {"Failed to get \"write\" lock", lock_cause, lock_hint},
    {"Failed to get shared \"write\" lock", lock_cause, lock_hint},
    {"Is another process using the image", lock_cause, lock_hint},
    {"Could not access KVM kernel module", "KVM refuses", "ACCEL=tcg runs without it, slowly"},
    {"failed to initialize kvm", "KVM refuses", "ACCEL=tcg runs without it, slowly"},
    {"Permission denied", "this user may not open a file that it needs",
     "look at the owner and mode of what the line above names"},
});

}  // namespace

std::optional<Diagnosis> diagnose(const Ending& ending) {
  if (ending.out_of_memory) {
    return Diagnosis{"the kernel killed it for want of memory", std::string(memory_hint)};
  }
  for (const auto& symptom : symptoms) {
    for (const auto& line : ending.last_lines) {
      if (line.find(symptom.words) == line.npos) continue;
      return Diagnosis{std::string(symptom.cause), std::string(symptom.hint)};
    }
  }
  if (ending.signal == SIGKILL) {
    return Diagnosis{"somebody killed it: a person, or the kernel for want of memory",
                     "look at the host's kernel log (dmesg)"};
  }
  return std::nullopt;
}

}  // namespace vmr
