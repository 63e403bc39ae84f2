// SPDX-License-Identifier: MIT
#include "host/probe_doctor.hpp"

#include "host/capture.hpp"
#include "host/environment.hpp"
#include "host/file_contents.hpp"
#include "host/file_systems.hpp"
#include "host/programs.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace vmr {
namespace {

bool exists(const char* path) {
  return ::access(path, F_OK) == 0;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// The first word of `text` that starts with a digit: of "virtiofsd 1.13.2".
std::string version_in(const std::string& text) {
  std::istringstream words(text.substr(0, text.find('\n')));
  for (std::string word; words >> word;) {
    if (word.front() >= '0' && word.front() <= '9') return word;
  }
  return {};
}

/// What stands behind "NAME … : " in /proc/cpuinfo.
std::string cpu_field(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with(name) && colon != line.npos) return line.substr(colon + 2);
  }
  return {};
}

Captured ask(const std::vector<std::string>& argv) {
  return capture(argv, {}, time_to_tell);
}

/// What qemu-img said, without its name before it. Names in it may hold newlines.
std::string words_of(const Captured& answer) {
  if (answer.timed_out) return "qemu-img does not answer";
  const auto text = answer.errors.substr(0, answer.errors.find_last_not_of('\n') + 1);
  if (text.empty()) return "qemu-img failed without a word";
  constexpr std::string_view own_name = "qemu-img: ";
  return text.starts_with(own_name) ? text.substr(own_name.size()) : text;
}

/// Takes over what `text`, qemu-img's JSON, tells; false when it is none.
bool read_image_info(const std::string& text, ImageFacts& facts) {
  boost::system::error_code error;
  const auto info = boost::json::parse(text, error);
  const auto* object = error ? nullptr : info.if_object();
  const auto* name = object == nullptr ? nullptr : object->if_contains("filename");
  if (name == nullptr || !name->is_string()) return false;
  facts.chain.emplace_back(name->as_string());
  const auto* format = object->if_contains("format");
  const auto* size = object->if_contains("virtual-size");
  if (format != nullptr && format->is_string()) facts.format = std::string(format->as_string());
  if (size != nullptr && size->is_int64())
    facts.size = static_cast<std::uint64_t>(size->as_int64());
  return true;
}

FolderFacts::Xattrs probe_xattrs(const std::string& path) {
  // Asking for one that is not there changes nothing and tells whether there could be one.
  const auto size = ::getxattr(path.c_str(), "user.vm-runner.none", nullptr, 0);
  if (size >= 0 || errno == ENODATA) return FolderFacts::Xattrs::work;
  return errno == ENOTSUP ? FolderFacts::Xattrs::refused : FolderFacts::Xattrs::unknown;
}

}  // namespace

CpuFacts probe_cpu(bool kvm_opens) {
  CpuFacts facts;
  facts.model = cpu_field("model name");
  const auto flags = " " + cpu_field("flags") + " ";
  facts.virtualization = contains(flags, " vmx ") ? "vmx" : contains(flags, " svm ") ? "svm" : "";
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
    facts.count = static_cast<std::uint64_t>(CPU_COUNT(&cpus));
  }
  if (kvm_opens) facts.vcpu_problem = run_vcpu();
  facts.vcpu_is_only_made = !knows_instruction();
  return facts;
}

QemuFacts probe_qemu(const std::string& qemu) {
  QemuFacts facts;
  facts.version = version_in(ask({qemu, "--version"}).output);
  const auto accelerators = ask({qemu, "-accel", "help"});
  if (accelerators.ok) {
    // The first line is a heading.
    std::istringstream lines(accelerators.output);
    std::string line;
    for (std::getline(lines, line); std::getline(lines, line);) facts.accelerators.push_back(line);
  }
  const auto devices = ask({qemu, "-device", "help"});
  if (devices.ok && contains(devices.output, "name \"")) {
    facts.has_virtiofs = contains(devices.output, "name \"vhost-user-fs-pci\"");
    facts.has_ninep = contains(devices.output, "name \"virtio-9p-pci\"");
  }
  return facts;
}

std::string probe_virtiofsd_version(const std::string& path) {
  return version_in(ask({path, "--version"}).output);
}

ImageFacts probe_image(const std::string& path, const std::string& format) {
  ImageFacts facts;
  facts.path = path;
  facts.writable = ::access(path.c_str(), W_OK) == 0;
  const auto program = find_in_path("qemu-img");
  if (program.empty()) return facts;
  facts.asked = true;
  // It leaves backing files alone, but opens a data file.
  const auto file = open_to_read(path);
  if (format == "qcow2" && file.is_open && read_qcow2_header(file.read, file.size).has_data_file) {
    facts.problem = "its header names a data file, which is not opened";
    return facts;
  }
  const auto look = [&](bool shared) {
    std::vector<std::string> argv = {program, "info", "--output=json", "-f", format};
    if (shared) argv.emplace_back("-U");
    argv.push_back(path);
    return ask(argv);
  };
  const auto info = look(true);
  if (!info.ok) {
    facts.problem = words_of(info);
    return facts;
  }
  if (!read_image_info(info.output, facts)) facts.problem = "qemu-img's answer is no JSON";
  // Without -U it takes the locks that a reader takes.
  const auto locked = look(false);
  const auto refusal = locked.errors.find("Failed to get");
  if (!locked.ok && refusal != locked.errors.npos) {
    const auto end = locked.errors.find('\n', refusal);
    facts.lock = locked.errors.substr(refusal, end - refusal);
  }
  return facts;
}

FolderFacts probe_folder(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path nearest = path;
  while (!exists(nearest.c_str()) && nearest.has_relative_path()) nearest = nearest.parent_path();
  FolderFacts facts;
  facts.obstacle = find_obstacle_in(nearest.string());
  struct statfs file_system {};
  if (::statfs(nearest.c_str(), &file_system) != 0) return facts;
  facts.file_system = file_system_name(file_system.f_type);
  facts.free_mib = file_system.f_bavail * static_cast<std::uint64_t>(file_system.f_bsize) >> 20;
  facts.xattrs = probe_xattrs(nearest.string());
  return facts;
}

}  // namespace vmr
