// SPDX-License-Identifier: MIT
// The script that runs a command inside the guest, for dash, bash and busybox alike. Each process
// costs an emulated guest dearly, so there are few.
#include "plan/exec_script.hpp"

#include "base/error.hpp"
#include "base/shell_words.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

constexpr std::size_t longest_command = 60'000;

/// Sets $in, $out and $err to the port's nodes. They appear a moment after the devices are added.
constexpr std::string_view find_ports = R"sh(
find_ports() {
  in='' out='' err=''
  for file in /sys/class/virtio-ports/*/name; do
    name=''
    read -r name <"$file"
    port=${file%/name}
    port=/dev/${port##*/}
    case $name in
      "$ports.in") in=$port ;;
      "$ports.out") out=$port ;;
      "$ports.err") err=$port ;;
    esac
  done
  [ -c "$in" ] && [ -c "$out" ] && [ -c "$err" ]
}
tries=0
until find_ports; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || exit 1
  sleep 0.1 || sleep 1
done
)sh";

/// Everything that follows the ports.
///
/// - Until QEMU has told that the host is connected, a port reads as ended; but writing waits for
///   that. So the first mark is written before anything is read.
/// - A port can be opened once, so the command gets pipes: it may open /dev/stderr again.
/// - The second `-` of cat: the guest's kernel may tell the end of a port just before its last
/// data.
/// - The command is in the foreground, as a shell makes its background processes ignore SIGINT, and
///   leads a session, so that a signal reaches its children and nobody else.
/// - A signal that comes before the session does waits for it: the command itself may have children
///   by then, whom a signal to it alone would leave running.
/// - What waits for stdin's end or for signals has no end of the output pipes: those are to end as
///   soon as the command's processes have.
constexpr std::string_view run_command = R"sh(
exec 3<"$in" 4>"$out" 5<>"$err"
printf '%s-\n' "$token" >&5

# pump: from a pipe to a port, and then the mark.
pump() {
  LC_ALL=C
  export LC_ALL
  exec cat - /proc/self/fd/6 6<<END
$token
END
}

send() {
  while kill -0 "$group"; do
    kill -"$1" -"$group" && break
    [ "$leads" ] || { kill -"$1" "$group" && break; }
    sleep 0.1 || sleep 1
  done
}

watch() {
  read -r group leads || exit
  while read -r signal <&5; do send "$signal"; done
  send HUP
}

run() {
  (
    read -r pid rest </proc/self/stat
    leads=
    if command -v "$1" >/dev/null 2>&1; then leads=yes; fi
    printf '%s\n' "$pid $leads" >&7
    exec 7>&-
    if [ "$leads" ]; then exec setsid "$@"; fi
    "$@"
  ) 2>&8 3<&- 4>&- 5>&- 8>&-
  status=$?
  printf '%s%s\n' "$token" "$status" >&8
  printf '%s%s\n' "$token" "$status"
}

LC_ALL=C cat - - <&3 4>&- 5>&- | {
  {
    run "$@" | pump >&4 3<&- 5>&- 7>&- 8>&-
  } 8>&1 | pump >&5 3<&- 4>&- 7>&-
} 7>&1 | watch 3<&- 4>&-
)sh";

std::string port_names(int number) {
  return fmt::format("org.vm-runner.exec.{}", number);
}

}  // namespace

std::string exec_port(int number, std::string_view stream) {
  return fmt::format("{}.{}", port_names(number), stream);
}

void check_exec_command(std::string_view command) {
  if (command.size() <= longest_command) return;
  throw Error(fmt::format("the command has {} bytes as shell words, more than {}", command.size(),
                          longest_command),
              "", "send a script on standard input: vm-runner exec -- sh <script");
}

std::string exec_script(int number, std::string_view token, std::string_view command) {
  return fmt::format(
      "ports={}\n"
      "token={}\n"
      "set -- {}\n"
      "export HOME=\"${{HOME:-/root}}\"\n"
      "{}{}",
      port_names(number), shell_quote(token), command, find_ports, run_command);
}

}  // namespace vmr
