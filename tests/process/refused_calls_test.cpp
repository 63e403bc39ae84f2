// SPDX-License-Identifier: MIT
// What the kernel refuses to a process that was taken over.
#include "../fakes/hostile_calls.hpp"
#include "host/confine.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace vmr::test {
namespace {

using Answers = std::map<std::string, int>;

/// How the calls are answered, by their names.
Answers answers_with(const std::vector<Refused>& refused) {
  Pipe pipe;
  const pid_t pid = fork_and_run([&] {
    Confinement confinement;
    confinement.no_new_privileges = true;
    confinement.refused = refused;
    const ReadyConfinement ready(confinement);
    if (ready.put_on() != 0 || ready.refuse_calls() != 0) return 98;
    std::string text;
    for (const auto& [name, error] : fake::try_hostile_calls()) {
      text += name + "\t" + std::to_string(error) + "\n";
    }
    return ::write(pipe.writing.get(), text.data(), text.size()) < 0 ? 97 : 0;
  });
  CHECK(wait_for(pid) == 0);
  pipe.writing.reset();
  Answers answers;
  std::istringstream text(read_all(pipe.reading));
  for (std::string name; std::getline(text, name, '\t');) {
    text >> answers[name];
    text.ignore();
  }
  return answers;
}

/// `refused` changes the answers to what is in `expected`, and no others.
void check_refused(const std::vector<Refused>& refused, const Answers& expected) {
  auto answers = answers_with({});
  for (const auto& [name, error] : expected) answers[name] = error;
  CHECK(answers_with(refused) == answers);
}

Answers all_with(int error, const std::vector<std::string>& names) {
  Answers answers;
  for (const auto& name : names) answers[name] = error;
  return answers;
}

TEST_CASE("a process that nothing is refused is answered as before") {
  check_refused({}, {});
}

TEST_CASE("sockets are those of the network alone") {
  check_refused({Refused::local_sockets},
                all_with(EPERM, {"socket UNIX", "socket NETLINK", "socket PACKET", "socket VSOCK",
                                 "socket UNIX, high bits", "socket ALG", "pair of datagrams"}));
}

TEST_CASE("what the kernel offers to debug, count and keep is refused") {
  check_refused({Refused::kernel_doors, Refused::io_uring},
                all_with(EPERM, {"keyctl", "add_key", "ptrace", "process_vm_readv", "pidfd_getfd",
                                 "bpf", "perf_event_open", "userfaultfd", "io_uring_setup"}));
}

TEST_CASE("mounts, namespaces and handles are refused") {
  auto expected = all_with(EPERM, {"mount", "open_tree", "unshare", "clone", "open_by_handle_at"});
  expected["clone3"] = ENOSYS;
  check_refused({Refused::mounts, Refused::namespaces, Refused::file_handles}, expected);
}

TEST_CASE("a file is truncated only when it is open for writing") {
  check_refused({Refused::name_truncated}, {{"truncate", EPERM},
                                            {"open to truncate", EPERM},
                                            {"open neither to read nor to write", EPERM},
                                            {"openat2", ENOSYS}});
}

TEST_CASE("neither programs of their owner nor devices are made") {
  auto expected = all_with(EPERM, {"chmod 4755", "fchmod 4755", "mknod 4755", "mknod device",
                                   "mknod character device", "open 4755", "open unnamed 4755"});
  expected.merge(all_with(ENOSYS, {"openat2", "fchmodat2"}));
  check_refused({Refused::set_user_id}, expected);
}

TEST_CASE("nor programs of their group") {
  check_refused({Refused::set_group_id},
                {{"chmod 2755", EPERM}, {"openat2", ENOSYS}, {"fchmodat2", ENOSYS}});
}

TEST_CASE("all refusals fit into one filter, and leave what files need") {
  const auto before = answers_with({});
  const auto answers =
      answers_with({Refused::local_sockets, Refused::kernel_doors, Refused::io_uring,
                    Refused::mounts, Refused::namespaces, Refused::file_handles,
                    Refused::set_user_id, Refused::set_group_id, Refused::name_truncated});
  Answers let_through;
  for (const auto& [name, error] : answers) {
    if (error != EPERM && error != ENOSYS) let_through[name] = before.at(name);
  }
  CHECK(let_through == Answers{{"pair of streams", 0},
                               {"socket IPv4", before.at("socket IPv4")},
                               {"socket IPv6", before.at("socket IPv6")},
                               {"chmod 1777", ENOENT},
                               {"mknod whiteout", ENOENT},
                               {"mknod fifo", ENOENT},
                               {"open 0755", ENOENT}});
}

}  // namespace
}  // namespace vmr::test
