// SPDX-License-Identifier: MIT
// Plays virtiofsd: takes one connection on the socket of --fd and ends with it.
//
//   FAKE_VIRTIOFSD_FAMILY=c|rust  which of the two it is (default: rust)
//   FAKE_VIRTIOFSD=
//     old            a Rust one without --readonly and --translate-uid
//     crash-at-once  dies of SIGSEGV before it serves
//     exit-at-once   exits 1 with a line on standard error
//     unshare-eperm  ends as the C one does where unshare(2) is forbidden
//     crash-later    dies of SIGSEGV once QEMU is connected; passes the gate
//     ignore-term    ignores SIGTERM
//     stay           does not end when QEMU disconnects
//     flood          1 MB on standard error
// and whatever a test tells it by a signal (fault.hpp).
#include "ask_launcher.hpp"
#include "fake.hpp"
#include "fault.hpp"
#include "hostile_calls.hpp"

#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace {

using namespace fake;

constexpr auto c_help = R"(Usage: virtiofsd [options]

    --print-capabilities       print capabilities and exit
    --socket-path=PATH         path for the vhost-user socket
    --fd=FDNUM                 fd number of vhost-user socket
    -o source=PATH             shared directory tree
    -o cache=<mode>            cache mode. could be one of "auto, always, none"
    -o sandbox=namespace|chroot
    -o xattr|no_xattr          enable/disable xattr
    -o posix_acl|no_posix_acl  Enable/Disable posix_acl
    -o announce_submounts      Announce sub-mount points to the guest
    --thread-pool-size=NUM     thread pool size limit (default 0)
    --rlimit-nofile=<num>      set maximum number of file descriptors
)";

constexpr auto rust_help = R"(Usage: virtiofsd [OPTIONS]

Options:
      --shared-dir <SHARED_DIR>
      --socket-path <SOCKET_PATH>
      --fd <FD>
      --thread-pool-size <THREAD_POOL_SIZE>
      --xattr
      --posix-acl
      --sandbox <SANDBOX>  [default: namespace] [possible values: namespace, chroot, none]
      --inode-file-handles <INODE_FILE_HANDLES>  [possible values: never, prefer, mandatory]
      --cache <CACHE>  [possible values: never, metadata, auto, always]
      --rlimit-nofile <RLIMIT_NOFILE>
      --print-capabilities
)";

constexpr auto new_rust_help = R"(      --readonly
      --translate-uid <TRANSLATE_UID>
      --translate-gid <TRANSLATE_GID>
      --killpriv-v2
)";

constexpr auto unshare_eperm =
    "unshare(CLONE_FS) failed with EPERM. If running in a container please check that the "
    "container runtime seccomp policy allows unshare.\n";

/// Answers a question about the program itself.
bool answers(const std::string& question, const Behaviours& behaviours) {
  const bool is_c = environment("FAKE_VIRTIOFSD_FAMILY") == "c";
  if (question == "--print-capabilities") {
    std::fputs(is_c ? "{\n  \"type\": \"fs\"\n}\n"
                    : "{\n  \"type\": \"fs\",\n  \"features\": [\n    \"migrate-precopy\",\n"
                      "    \"separate-options\"\n  ]\n}\n",
               stdout);
  } else if (question == "--version") {
    std::puts(is_c ? "virtiofsd version 7.2.22" : "virtiofsd 1.13.2");
  } else if (question == "--help") {
    std::fputs(is_c ? c_help : rust_help, stdout);
    if (!is_c && behaviours.count("old") == 0) std::fputs(new_rust_help, stdout);
  } else {
    return false;
  }
  return true;
}

/// The number after --fd, or -1.
int listening_descriptor(const Arguments& argv) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i].rfind("--fd=", 0) == 0) return std::atoi(argv[i].c_str() + 5);
    if (argv[i] == "--fd" && i + 1 < argv.size()) return std::atoi(argv[i + 1].c_str());
  }
  return -1;
}

/// "virtiofsd-1" for the socket /run/…/virtiofsd-1.sock; empty when `fd` is not such a socket.
std::string name_of_socket(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  if (address.sun_family != AF_UNIX) return "";
  return std::filesystem::path(address.sun_path).stem().string();
}

/// QEMU's connection, and whether we have closed it.
volatile sig_atomic_t connection = -1;
volatile sig_atomic_t closed = 0;

void close_connection(int) {
  const int error = errno;
  closed = 1;
  ::shutdown(connection, SHUT_RDWR);
  errno = error;
}

const std::string much = flood_line("virtiofsd");

void write_much(int) {
  flood(much);
}

/// Not std::signal: ThreadSanitizer's ends a read that the signal interrupts.
void handle(Fault fault, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal_of(fault), &action, nullptr);
}

int serve(int fd, const std::string& name, const Behaviours& behaviours) {
  if (behaviours.count("flood") != 0) flood(much);
  std::fputs("[INFO  virtiofsd] Waiting for vhost-user socket connection...\n", stderr);
  const int qemu = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  if (qemu < 0) {
    std::perror("virtiofsd: accept");
    return 1;
  }
  [[maybe_unused]] const auto answered = ::write(qemu, "!", 1);
  std::fputs("[INFO  virtiofsd] Client connected, servicing requests\n", stderr);
  if (behaviours.count("crash-later") != 0) {
    pass_gate(name);
    die_by(SIGSEGV);
  }
  connection = qemu;
  handle(Fault::close_socket, close_connection);
  handle(Fault::flood, write_much);
  // As in a program that is told so while it waits.
  std::fputs("[INFO  virtiofsd] Ready\n", stderr);
  char byte = 0;
  while (::read(qemu, &byte, 1) > 0) {
  }
  while (closed != 0) ::pause();
  std::fputs("[INFO  virtiofsd] Client disconnected, shutting down\n", stderr);
  while (behaviours.count("stay") != 0) ::pause();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argv, argv + argc);
  auto behaviours = behaviours_in("FAKE_VIRTIOFSD");
  if (argc == 2 && answers(arguments[1], behaviours)) return 0;

  const int fd = listening_descriptor(arguments);
  const auto name = name_of_socket(fd);
  if (name.empty()) {
    std::fputs("virtiofsd: --fd names no UNIX socket\n", stderr);
    return 2;
  }
  behaviours.merge(behaviours_in("FAKE_VIRTIOFSD_" + name.substr(name.rfind('-') + 1)));
  if (behaviours.count("ignore-term") != 0) std::signal(SIGTERM, SIG_IGN);
  // As the real ones: a launcher that is killed takes the reader of its log away.
  std::signal(SIGPIPE, SIG_IGN);
  log_start(name, arguments);
  if (behaviours.count("crash-at-once") != 0) die_by(SIGSEGV);
  if (behaviours.count("exit-at-once") != 0) {
    std::fputs("[ERROR virtiofsd] Error entering sandbox: Invented\n", stderr);
    return 1;
  }
  ask_launcher();
  if (behaviours.count("hostile-calls") != 0) tell_hostile_calls();
  if (behaviours.count("unshare-eperm") != 0) {
    std::fputs(unshare_eperm, stderr);
    return 1;
  }
  return serve(fd, name, behaviours);
}
