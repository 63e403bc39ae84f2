// SPDX-License-Identifier: MIT
#include "base/shell_words.hpp"
#include "commands/doctor_areas.hpp"
#include "commands/doctor_fixes.hpp"
#include "spec/guest.hpp"
#include "spec/limits.hpp"

#include <fmt/ranges.h>

#include <filesystem>

namespace vmr {
namespace {

constexpr const char* limits = "limits";
constexpr const char* guest_area = "guest";

constexpr std::uint64_t good_open_files = 65536;
constexpr std::uint64_t wished_open_files = 1048576;
/// A guest that writes fills less than this soon.
constexpr std::uint64_t little_space_mib = 1024;

const FolderFacts& folder_of(const std::string& path, const DoctorFacts& facts) {
  static const FolderFacts unknown;
  const auto found = facts.folders.find(path);
  return found == facts.folders.end() ? unknown : found->second;
}

void report_open_files(const DoctorView& view, DoctorFindings& findings) {
  const auto hard = view.vm.host.open_files_limit;
  const bool enough = hard >= good_open_files;
  findings.add(limits, "open files",
               enough                   ? CheckResult::ok
               : uses_virtiofs(view.vm) ? CheckResult::warn
                                        : CheckResult::note,
               fmt::format("{} at most{}", hard,
                           enough ? ""
                                  : "; virtiofsd keeps one open for each file that the guest "
                                    "knows"),
               enough ? "" : fix_for_open_files(view.facts.surroundings, wished_open_files));
}

void report_memory(const DoctorView& view, DoctorFindings& findings) {
  const auto& process = view.facts.process;
  const auto memory = view.vm.config.memory.value;
  const auto wanted = memory + own_memory_mib;
  auto text = fmt::format("MEMORY is {} MiB; ", memory);
  text += process.memory_limit ? fmt::format("the cgroup's limit is {} MiB", *process.memory_limit)
                               : "the cgroup has no limit";
  if (process.memory_available != 0) {
    text += fmt::format(", {} MiB are available", process.memory_available);
  }
  if (process.memory_limit && *process.memory_limit < wanted) {
    findings.add(limits, "memory", CheckResult::warn,
                 text + "; QEMU is killed when the guest and it use more",
                 fix_for_memory_limit(view.facts.surroundings, wanted) + ", or a smaller MEMORY");
  } else if (process.memory_available != 0 && process.memory_available < memory) {
    findings.add(limits, "memory", CheckResult::warn,
                 text + "; QEMU may be killed when the guest uses it all", "set MEMORY lower");
  } else {
    findings.add(limits, "memory", CheckResult::ok, text);
  }
}

std::string name_of_image(const DoctorView& view) {
  const auto& disk = view.vm.spec.disk;
  return disk && view.facts.image->path == disk->persistent ? "persistent disk" : "image";
}

void report_image(const DoctorView& view, DoctorFindings& findings) {
  const auto& image = *view.facts.image;
  const auto name = name_of_image(view);
  if (!image.asked) {
    findings.add(guest_area, name, CheckResult::note,
                 image.path + ", not looked into: qemu-img is not in PATH",
                 fix_by_package(view.facts.surroundings, view.vm.host.uid, "qemu-utils"));
    return;
  }
  if (!image.problem.empty()) {
    findings.fail(guest_area, name,
                  {fmt::format("'{}' cannot be opened: {}", image.path, image.problem), "",
                   "put back the file that is named, or another image; where a file behind it has "
                   "moved: qemu-img rebase -u -b NEW_PATH -F FORMAT IMAGE",
                   ExitStatus::failed});
    return;
  }
  findings.add(guest_area, name, CheckResult::ok,
               fmt::format("{}, {}, {}", image.path, image.format, size_text(image.size >> 20)));
  if (image.chain.size() > 1) {
    findings.add(guest_area, "backing chain", CheckResult::ok,
                 fmt::format("{}", fmt::join(image.chain, " <- ")));
  }
  if (image.lock.empty()) {
    findings.add(guest_area, "lock", CheckResult::ok, "no other process has it open for writing");
  } else {
    findings.fail(
        guest_area, "lock",
        {fmt::format("another process has '{}' open: {}", image.path, image.lock), "",
         fmt::format("stop the VM that uses it (fuser -v {} names the process), or use another "
                     "image",
                     shell_quote(image.path)),
         ExitStatus::failed});
  }
}

void report_persistent_disk(const DoctorView& view, DoctorFindings& findings) {
  const auto& path = view.vm.spec.disk->persistent;
  const auto folder_path = std::filesystem::path(path).parent_path().string();
  const auto& folder = folder_of(folder_path, view.facts);
  const auto& image = *view.facts.image;
  const bool is_there = image.path == path;
  if (is_there && !image.writable) {
    findings.fail(
        guest_area, "changes",
        {fmt::format("the persistent disk '{}' cannot be written", path), "",
         "change its owner or mode, or set DATA_DIR to another folder", ExitStatus::failed});
  } else if (!is_there && !image.asked) {
    findings.fail(guest_area, "changes",
                  {"the persistent disk cannot be made: qemu-img is not in PATH", "",
                   "install it (Debian: apt install qemu-utils), or leave PERSIST out",
                   ExitStatus::host_unsupported});
  } else if (!is_there && !folder.obstacle.empty()) {
    findings.fail(
        guest_area, "changes",
        {fmt::format("the persistent disk '{}' cannot be made: {}", path, folder.obstacle), "",
         "set DATA_DIR to a folder that can be written", ExitStatus::failed});
  } else {
    const bool little = folder.free_mib < little_space_mib;
    findings.add(guest_area, "changes", little ? CheckResult::warn : CheckResult::ok,
                 fmt::format("kept in {}, {} free ({}){}", path, size_text(folder.free_mib),
                             folder.file_system,
                             is_there                     ? ""
                             : view.vm.spec.disk->is_copy ? "; it will be made, a copy of the image"
                                                          : "; it will be made"),
                 little ? "make room, or set DATA_DIR to another folder" : "");
  }
}

void report_changes(const DoctorView& view, DoctorFindings& findings) {
  if (!view.vm.spec.disk->persistent.empty()) {
    report_persistent_disk(view, findings);
    return;
  }
  const auto& path = view.vm.host.temporary_folder;
  const auto& folder = folder_of(path, view.facts);
  const bool little = folder.free_mib < little_space_mib;
  findings.add(
      guest_area, "changes", little ? CheckResult::warn : CheckResult::ok,
      fmt::format("dropped at the end; until then in {}, {} free ({})", path,
                  size_text(folder.free_mib), folder.file_system),
      little ? "make room there, set TMPDIR to another folder, or keep them with PERSIST=1" : "");
}

void report_name(const DoctorView& view, DoctorFindings& findings) {
  const auto& name = view.vm.config.guest_name.value;
  const auto& runtime = folder_of(view.vm.host.runtime_folder, view.facts);
  if (view.facts.is_running) {
    findings.fail(guest_area, "name",
                  {fmt::format("a VM named '{}' is already running", name), "",
                   "stop it, or set another GUEST_NAME", ExitStatus::failed});
  } else if (view.facts.runtime_problem) {
    findings.fail(guest_area, "runtime folder", *view.facts.runtime_problem);
  } else if (!runtime.obstacle.empty()) {
    findings.fail(guest_area, "runtime folder",
                  {fmt::format("cannot use the runtime folder {}: {}", view.vm.host.runtime_folder,
                               runtime.obstacle),
                   "", "set XDG_RUNTIME_DIR to a folder of your own", ExitStatus::failed});
  } else {
    findings.add(guest_area, "name", CheckResult::ok,
                 fmt::format("no VM named '{}' runs; its sockets will be in {}", name,
                             view.vm.host.runtime_folder));
  }
}

}  // namespace

std::string size_text(std::uint64_t mebibytes) {
  if (mebibytes < 1024) return fmt::format("{} MiB", mebibytes);
  return fmt::format("{:.1f} GiB", static_cast<double>(mebibytes) / 1024);
}

void report_limits(const DoctorView& view, DoctorFindings& findings) {
  report_open_files(view, findings);
  report_memory(view, findings);
  const auto& locked = view.facts.process.locked_kib;
  findings.add(limits, "locked memory", CheckResult::ok,
               (locked ? fmt::format("{} KiB", *locked) : std::string("no limit")) +
                   "; none is locked, unless your own arguments ask for it");
}

void report_ports(const DoctorView& view, DoctorFindings& findings) {
  const auto& ssh = view.vm.spec.ssh;
  if (view.vm.config.ssh_port.value.port == 0) {
    findings.add("ports", "SSH", CheckResult::note, "no port leads to the guest (SSH_PORT='0')");
    return;
  }
  if (view.vm.host.free_ssh_port != ssh.port) return;  // which a problem tells
  auto text = fmt::format("{}:{} is free and leads to the guest's port 22", ssh.address, ssh.port);
  const auto where = view.facts.surroundings;
  // What listens on the container's own 127.0.0.1 only, no -p reaches.
  if (is_container(where) && ssh.address != "127.0.0.1") {
    text += "; for the host: " + run_flags(where, fmt::format("-p 127.0.0.1:{0}:{0}", ssh.port),
                                           fmt::format("kubectl port-forward POD {}", ssh.port));
  }
  findings.add("ports", "SSH", CheckResult::ok, text);
}

void report_guest(const DoctorView& view, DoctorFindings& findings) {
  const auto& vm = view.vm;
  if (const auto guest = chosen_guest(vm.config, vm.host)) {
    const auto user = guest->login_user.empty() ? std::string("unknown") : guest->login_user;
    findings.add(guest_area, "chosen", CheckResult::ok,
                 fmt::format("'{}', {}, its user: {}", guest->name,
                             vm.spec.boot.kernel.empty() ? "which boots by itself"
                                                         : "with the kernel " + vm.spec.boot.kernel,
                             user));
  } else if (!vm.spec.boot.kernel.empty()) {
    findings.add(guest_area, "chosen", CheckResult::ok, "the kernel " + vm.spec.boot.kernel);
  }
  if (view.facts.image && vm.spec.disk) {
    report_image(view, findings);
    report_changes(view, findings);
  }
  report_name(view, findings);
}

}  // namespace vmr
