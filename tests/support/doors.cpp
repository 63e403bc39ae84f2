// SPDX-License-Identifier: MIT
#include "support/doors.hpp"

#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace vmr::test {
namespace {

using Names = std::vector<std::string>;

/// A door, and the calls of fakes/hostile_calls.hpp that would open it.
struct Door {
  std::string name;
  Names calls;
  bool is_virtiofsds = true;  ///< of virtiofsd it does not hang on its sandbox or the machine
};

const std::vector<Door> doors = {
    {"sockets of the host's services and of other VMs", {"socket UNIX", "socket UNIX, high bits"}},
    {"other sockets than of IPv4 and IPv6",
     {"socket NETLINK", "socket PACKET", "socket VSOCK", "socket ALG"}},
    {"keys", {"keyctl", "add_key"}},
    {"memory and descriptors of other processes", {"ptrace", "process_vm_readv", "pidfd_getfd"}},
    {"BPF and performance events", {"bpf", "perf_event_open", "userfaultfd"}},
    {"io_uring", {"io_uring_setup"}},
    {"mounts", {"mount", "open_tree"}},
    {"namespaces", {"unshare", "clone", "clone3"}, false},
    {"files by handle", {"open_by_handle_at"}, false},
    {"files cut off that are not open for writing",
     {"truncate", "open to truncate", "open neither to read nor to write"}},
    {"set-user-ID modes",
     {"chmod 4755", "fchmod 4755", "mknod 4755", "open 4755", "open unnamed 4755", "fchmodat2"}},
    {"set-group-ID modes", {"chmod 2755"}},
    {"devices", {"mknod device", "mknod character device"}},
};

}  // namespace

ObservedColumn doors_column(const std::string& who, const std::string& program,
                            const Finished& seen) {
  const auto lines = observe(seen).log_with("[DEBUG] " + program + ": call ");
  const auto is_refused = [&](const std::string& call) {
    const auto start = "[DEBUG] " + program + ": call " + call + ": ";
    const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.starts_with(start);
    });
    REQUIRE_MESSAGE(found != lines.end(), start << "\n" << seen.log);
    return *found == start + "Operation not permitted" ||
           *found == start + "Function not implemented";
  };
  ObservedColumn column;
  for (const auto& [name, calls, is_virtiofsds] : doors) {
    if (program != "qemu" && !is_virtiofsds) continue;
    const bool is_closed = std::all_of(calls.begin(), calls.end(), is_refused);
    column.push_back({{who, name}, is_closed ? "closed" : "open"});
  }
  return column;
}

}  // namespace vmr::test
