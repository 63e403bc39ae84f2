// SPDX-License-Identifier: MIT
#include "host/probe.hpp"

#include "base/paths.hpp"
#include "base/unique_fd.hpp"
#include "host/abilities.hpp"
#include "host/capture.hpp"
#include "host/environment.hpp"
#include "host/file_systems.hpp"
#include "host/guest_image.hpp"
#include "host/landlock.hpp"
#include "host/memory_cgroups.hpp"
#include "host/open_files.hpp"
#include "host/probe_container.hpp"
#include "host/probe_files.hpp"
#include "host/programs.hpp"
#include "host/user_data_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <pwd.h>
#include <sstream>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace vmr {
namespace {

constexpr const char* embedded_guest = "/usr/share/vm-runner/guest";

KvmFacts probe_kvm() {
  const UniqueFd kvm(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  struct stat facts {};
  if (kvm && ::fstat(kvm.get(), &facts) == 0) {
    return {KvmFacts::State::opens, "", {facts.st_uid, facts.st_gid}, facts.st_mode & 07777};
  }
  const auto reason = fmt::format("/dev/kvm: {}", std::strerror(errno));
  const bool missing = errno == ENOENT || errno == ENXIO || errno == ENODEV;
  return {missing ? KvmFacts::State::missing : KvmFacts::State::no_permission, reason};
}

Architecture own_architecture() {
  utsname names{};
  ::uname(&names);
  return std::string_view(names.machine) == "aarch64" ? Architecture::aarch64
                                                      : Architecture::x86_64;
}

/// UEFI for an aarch64 machine, where Debian's qemu-efi-aarch64 has it.
std::string find_firmware() {
  const std::string path = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd";
  return ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

/// `name` in the folder that `variable` names, or in `usual` of the home; empty: there is neither.
std::string folder_of_user(const char* variable, const Host& host, const char* usual,
                           const char* name) {
  auto folder = environment(variable);
  if (!folder.starts_with('/')) folder = host.home + usual;
  return folder.starts_with('/') ? folder + name : std::string();
}

/// What is executed beside QEMU and virtiofsd: qemu-img, and this program.
std::vector<std::string> find_programs(Skipped& skipped) {
  std::error_code ignored;
  std::vector<std::string> programs = {
      find_in_path("qemu-img", &skipped),
      std::filesystem::read_symlink("/proc/self/exe", ignored).string()};
  std::erase(programs, "");
  programs.insert(programs.end(), {"/etc/ld.so.cache", "/etc/ld.so.preload"});
  return programs;
}

/// The folders from which QEMU, virtiofsd and their libraries are loaded, with what they read: of
/// the system, beside a QEMU that is not the system's, and those that the environment names.
std::vector<std::string> find_program_folders(const std::string& qemu) {
  std::vector<std::string> folders = {
      "/lib",         "/lib64",          "/usr/lib",           "/usr/lib64",
      "/usr/libexec", "/usr/share/qemu", "/usr/share/seabios", "/etc/qemu"};
  std::error_code ignored;
  const auto prefix = std::filesystem::canonical(qemu, ignored).parent_path().parent_path();
  if (!prefix.empty() && prefix != "/usr") {
    for (const auto* data : {"share/qemu", "share/seabios", "lib/ipxe", "lib/qemu"}) {
      folders.push_back((prefix / data).string());
    }
  }
  for (const auto* variable : {"LD_LIBRARY_PATH", "LD_PRELOAD", "QEMU_MODULE_DIR"}) {
    std::istringstream words(environment(variable));
    for (std::string word; std::getline(words, word, ':');) {
      if (!word.empty()) folders.push_back(std::filesystem::absolute(word, ignored).string());
    }
  }
  return folders;
}

void take_guest(FoundGuest found, Host& host) {
  host.guest = std::move(found.guest);
  host.guest_problem = std::move(found.problem);
  host.guest_toml_problems = std::move(found.toml_problems);
  host.guest_toml = std::move(found.toml);
}

bool is_trusted_guest(const FoundGuest& found, Host& host) {
  std::vector<std::string> files = {found.toml};
  if (found.guest) {
    files.insert(files.end(), {found.guest->kernel, found.guest->initrd, found.guest->disk});
  }
  return std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return file.empty() || is_trusted(file, &host.skipped);
  });
}

void probe_guest(const Config& config, Host& host) {
  if (config.base_image.value == no_base_image) return;
  if (!config.base_image.value.empty()) {
    const auto path = absolute_path(config.base_image.value, host.home, host.working_folder);
    take_guest(find_guest(path), host);
    return;
  }
  // A bare KERNEL has nothing of the default guest.
  if (!config.kernel.value.empty()) return;
  std::vector<std::string> folders = {embedded_guest};
  if (!host.cache_folder.empty()) folders.push_back(host.cache_folder + "/guest");
  for (const auto& folder : folders) {
    auto found = find_guest(folder);
    // Nobody named it: it is taken only where nobody else could have put it there.
    if (folder != embedded_guest && !is_trusted_guest(found, host)) continue;
    take_guest(std::move(found), host);
    // That there is none is no fault. One that is there and broken is not passed over in silence.
    host.guest_problem.clear();
    if (host.guest || !host.guest_toml_problems.empty()) return;
  }
}

void probe_user_data(const Config& config, Host& host) {
  if (config.cloud_init_user_data.value.empty()) return;
  const auto path =
      absolute_path(config.cloud_init_user_data.value, host.home, host.working_folder);
  host.user_data_problem = read_user_data_file(path, host.user_data);
}

/// Why nobody can listen at the port now, as an errno; 0: it is free.
int try_port(const std::string& address, std::uint16_t port) {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.empty() ? "0.0.0.0" : address.c_str(), &name.sin_addr) != 1) {
    return 0;
  }
  const auto* address_of_port = reinterpret_cast<const sockaddr*>(&name);
  return ::bind(probe.get(), address_of_port, sizeof name) == 0 ? 0 : errno;
}

void probe_ssh_port(const SshForward& wished, Host& host) {
  if (wished.port == 0) return;
  for (int port = wished.port; port < wished.port + 10 && port < 65536; ++port) {
    const int error = try_port(wished.address, static_cast<std::uint16_t>(port));
    if (port == wished.port && error != 0 && error != EADDRINUSE) {
      host.ssh_port_obstacle = std::strerror(error);
      host.foreign_ssh_address = error == EADDRNOTAVAIL;
    }
    if (error != 0) continue;
    host.free_ssh_port = static_cast<std::uint16_t>(port);
    return;
  }
}

/// As QEMU chooses it: /tmp is often in memory, and too small for a disk.
std::string find_temporary_folder(const Host& host) {
  const auto given = environment("TMPDIR");
  const auto folder = given.empty() ? "/tmp" : absolute_path(given, host.home, host.working_folder);
  return folder == "/tmp" ? "/var/tmp" : folder;
}

bool needs_virtiofsd(const Config& config) {
  return std::any_of(config.shares.begin(), config.shares.end(),
                     [](const ShareConfig& share) { return share.driver.value != Driver::ninep; });
}

}  // namespace

std::string random_digits() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("getrandom failed");
  }
  std::string digits;
  for (const auto byte : bytes) digits += fmt::format("{:02x}", byte);
  return digits;
}

std::string find_home() {
  if (auto home = environment("HOME"); home.starts_with('/')) return home;
  std::array<char, 16384> texts{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, texts.data(), texts.size(), &found);
  if (found != nullptr && *found->pw_dir == '/') return found->pw_dir;
  return ::geteuid() == 0 ? "/root" : "/";
}

std::string find_short_runtime_folder(std::uint32_t uid) {
  // A container with a read-only root file system has at least /dev/shm.
  const std::array<const char*, 3> places = {"/tmp", "/dev/shm", "/run"};
  std::string free;
  for (const auto* place : places) {
    const auto folder = fmt::format("{}/vm-runner-{}", place, uid);
    struct stat facts {};
    const bool is_there = ::lstat(folder.c_str(), &facts) == 0;
    const bool is_ours = is_there && S_ISDIR(facts.st_mode) && facts.st_uid == uid &&
                         (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
                         ::access(folder.c_str(), W_OK) == 0;
    // Where VMs of ours may run already.
    if (is_ours) return folder;
    // A name that another user took leaves the other places.
    if (!is_there && free.empty() && ::access(place, W_OK) == 0) free = folder;
  }
  return free.empty() ? fmt::format("{}/vm-runner-{}", places.front(), uid) : free;
}

std::string find_runtime_folder(std::uint32_t uid, Skipped* skipped) {
  const auto session = environment("XDG_RUNTIME_DIR");
  std::error_code ignored;
  if (session.starts_with('/') && std::filesystem::is_directory(session, ignored) &&
      ::access(session.c_str(), W_OK) == 0 && is_trusted(session, skipped)) {
    return session + "/vm-runner";
  }
  if (uid == 0 && ::access("/run", W_OK) == 0) return "/run/vm-runner";
  return find_short_runtime_folder(uid);
}

void probe_virtiofsd(Host& host) {
  AbilitiesProbe probe(AbilitiesProbe::Scope::all);
  host.virtiofsd = find_virtiofsd(host.home, host.virtiofsd_problem, &host.skipped);
  host.abilities = probe.wait().abilities;
}

Host probe_host(const Config& config) {
  Host host;
  const bool with_virtiofsd = needs_virtiofsd(config);
  AbilitiesProbe probe(with_virtiofsd ? AbilitiesProbe::Scope::virtiofs
                                      : AbilitiesProbe::Scope::users);
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.is_pid_1 = ::getpid() == 1;
  host.surroundings = find_surroundings("", environment);
  host.own_network = has_own_network("");
  host.home = find_home();
  std::error_code ignored;
  host.working_folder = std::filesystem::current_path(ignored).string();
  host.cache_folder = folder_of_user("XDG_CACHE_HOME", host, "/.cache", "/vm-runner");
  host.description_folder = folder_of_user("XDG_CONFIG_HOME", host, "/.config", "/qemu");
  host.programs = find_programs(host.skipped);
  host.runtime_folder = find_runtime_folder(host.uid, &host.skipped);
  host.short_runtime_folder = find_short_runtime_folder(host.uid);
  host.temporary_folder = find_temporary_folder(host);
  host.has_temporary_folder = find_obstacle_in(host.temporary_folder).empty();
  host.kvm = probe_kvm();
  host.architecture = own_architecture();
  const auto wanted =
      config.arch.value == Architecture::automatic ? host.architecture : config.arch.value;
  const auto qemu = fmt::format("qemu-system-{}", word_for(wanted));
  host.qemu = find_in_path(qemu, &host.skipped);
  if (host.qemu.empty()) host.qemu_problem = qemu + " is not in PATH";
  host.program_folders = find_program_folders(host.qemu);
  if (wanted == Architecture::aarch64) host.firmware = find_firmware();
  if (with_virtiofsd)
    host.virtiofsd = find_virtiofsd(host.home, host.virtiofsd_problem, &host.skipped);
  host.landlock = landlock_version();
  host.missing_capabilities = find_missing_capabilities();
  host.open_files_limit = open_files_limit();
  host.memory_limit = find_memory_limit();
  probe_guest(config, host);
  probe_user_data(config, host);
  probe_ssh_port(config.ssh_port.value, host);
  host.random = random_digits();
  probe_files(config, host);
  const auto able_to = probe.wait();
  host.abilities = able_to.abilities;
  host.other_user = able_to.become_other_user;
  return host;
}

std::string try_machine(const std::string& qemu, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {
      qemu, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-qmp", "stdio"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto result =
      capture(argv, R"({"execute":"qmp_capabilities"}{"execute":"quit"})", time_to_tell);
  // One that only tells its version, or lists something, ends well too, but answers nothing.
  const bool answered = result.output.find(R"("return")") != std::string::npos;
  if (result.ok && answered) return {};
  if (result.ok) return "QEMU ended at once, with success, and started nothing";
  if (result.timed_out) return "QEMU does not answer";
  // Behind its last words of its own, with its name before them, it may advise something.
  std::istringstream lines(result.errors);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    const bool is_advice = last.starts_with("qemu-") && !line.starts_with("qemu-");
    if (!line.empty() && !is_advice) last = line;
  }
  return last.empty() ? "QEMU ended without a word" : last;
}

std::string try_kvm(const std::string& qemu, const std::string& machine, const std::string& cpu) {
  return try_machine(qemu, {"-machine", machine, "-accel", "kvm", "-cpu", cpu, "-m", "16M"});
}

}  // namespace vmr
