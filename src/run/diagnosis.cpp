// SPDX-License-Identifier: MIT
#include "run/diagnosis.hpp"

#include "base/ascii.hpp"

#include <algorithm>
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

bool is_word_character(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || is_ascii_digit(c) || c == '_';
}

/// Whether "kvm" begins a word of `text` and is all of it, or its prefix: "kvm", "KVM:",
/// "kvm_init_vcpu", "ioctl(KVM_CREATE_VM)".
bool is_about_kvm(std::string_view text) {
  const auto folded = ascii_lower(text);
  for (auto at = folded.find("kvm"); at != folded.npos; at = folded.find("kvm", at + 1)) {
    const bool begins = at == 0 || !is_word_character(folded[at - 1]);
    const auto end = at + 3;
    const bool ends = end == folded.size() || folded[end] == '_' || !is_word_character(folded[end]);
    if (begins && ends) return true;
  }
  return false;
}

/// What QEMU says in `line` before the first value that it quotes: its messages begin with its own
/// words, "Could not open '/srv/kvm/disk': …", and a path that is not quoted has a slash.
std::string_view own_words(std::string_view line) {
  constexpr std::string_view device = "/dev/kvm";
  const auto value = line.find_first_of("/'\"`");
  if (value == line.npos) return line;
  if (line.substr(value).starts_with(device)) return line.substr(0, value + device.size());
  return line.substr(0, line.find_last_of(" \t", value) + 1);
}

/// Takes "PREFIX: " off `line` and returns PREFIX; empty where it has none without a blank.
std::string_view take_prefix(std::string_view& line) {
  const auto end = line.find(": ");
  if (end == line.npos || line.find_first_of(" \t") < end) return {};
  const auto prefix = line.substr(0, end);
  line.remove_prefix(end + 2);
  return prefix;
}

/// Whether `line` is "[PROGRAM: ][-OPTION …: ]MESSAGE" with a message about KVM. After an option
/// that is not the accelerator's comes the user's text, and then what is wrong with it.
bool blames_kvm(std::string_view line) {
  auto message = line;
  const auto program = take_prefix(message);
  // Some of QEMU's lines do not name it first, but the function that failed.
  if (program == "KVM" || program.starts_with("kvm_")) return true;
  if (message.starts_with("warning: ") || message.starts_with("info: ")) return false;
  if (message.starts_with('-')) {
    return message.starts_with("-accel ") || message.starts_with("-enable-kvm");
  }
  // A failed assertion names a line of QEMU's source, and the function.
  auto rest = message;
  if (take_prefix(rest).find(".c:") != std::string_view::npos)
    return take_prefix(rest).starts_with("kvm");
  return is_about_kvm(own_words(message));
}

}  // namespace

bool is_fault_of_kvm(const Ending& ending) {
  return std::any_of(ending.last_lines.begin(), ending.last_lines.end(), blames_kvm);
}

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
