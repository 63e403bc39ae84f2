// SPDX-License-Identifier: MIT
// The doors that a QEMU or virtiofsd that was taken over finds closed, as docs/security.md tells.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/observed_output.hpp"
#include "support/observed_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <grp.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;
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
    {"namespaces", {"unshare"}, false},
    {"files by handle", {"open_by_handle_at"}, false},
    {"files cut off that are not open for writing", {"truncate", "open to truncate"}},
    {"set-user-ID modes",
     {"chmod 4755", "fchmod 4755", "mknod 4755", "open 4755", "open unnamed 4755", "fchmodat2"}},
    {"set-group-ID modes", {"chmod 2755"}},
    {"devices", {"mknod device", "mknod character device"}},
};

/// What the log of a launcher with LOG_VERBOSE=1 tells of the calls of `program`.
ObservedColumn column_of(const std::string& who, const std::string& program, const Finished& seen) {
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

/// A start of the launcher with fakes that try every door.
Finished try_doors(const Launcher::Variables& more, bool is_root) {
  const FakeHost host;
  auto settings =
      join(FakeHost::virtiofs_share(1, host / "one"), {{"QEMU_USER", ""},
                                                       {"LOG_VERBOSE", "1"},
                                                       {"FAKE_QEMU", "poweroff,hostile-calls"},
                                                       {"FAKE_VIRTIOFSD", "hostile-calls"}});
  StartDetails details;
  if (!is_root) {
    // What is not its own, or open to others, it would pass over.
    constexpr uid_t nobody = 65534;
    REQUIRE(::chown((host / ".").c_str(), nobody, nobody) == 0);
    for (const auto& entry : fs::recursive_directory_iterator(host / ".")) {
      REQUIRE(::lchown(entry.path().c_str(), nobody, nobody) == 0);
    }
    details.before_exec = [] {
      if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(98);
    };
  }
  auto seen = host.run(join(settings, more), details);
  INFO(seen.log);
  CHECK(seen.status == 0);
  return seen;
}

TEST_CASE("the doors that an escaped guest finds are closed as documented") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: only root can become another user");
    return;
  }
  std::vector<std::pair<std::string, ObservedColumn>> columns;
  for (const bool is_root : {true, false}) {
    const auto seen = try_doors({}, is_root);
    auto column = column_of("QEMU", "qemu", seen);
    if (is_root) {
      const auto ninep =
          column_of("QEMU with a share of 9p `passthrough`", "qemu",
                    try_doors({{"FILESYSTEM_DRIVER", "9p"}, {"FILESYSTEM_SANDBOX", ""}}, is_root));
      column.insert(column.end(), ninep.begin(), ninep.end());
    }
    const auto helper = column_of("virtiofsd", "virtiofsd-1", seen);
    column.insert(column.end(), helper.begin(), helper.end());
    columns.emplace_back(is_root ? "root" : "ordinary user", std::move(column));
  }
  check_observed_table("security.md", "doors", columns);
}

}  // namespace
}  // namespace vmr::test
