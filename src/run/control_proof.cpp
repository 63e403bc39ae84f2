// SPDX-License-Identifier: MIT
#include "run/control_proof.hpp"

#include "base/unique_fd.hpp"
#include "host/process_security.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

namespace vmr {
namespace {

constexpr std::string_view start = "proof-";
constexpr std::size_t random_bytes = 16;

std::string beside(const std::string& socket, const std::string& name) {
  return socket.substr(0, socket.rfind('/') + 1) + name;
}

}  // namespace

ControlProof::ControlProof(const std::string& socket) {
  std::array<unsigned char, random_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return;
  std::string name(start);
  for (const auto byte : bytes) name += fmt::format("{:02x}", byte);
  path_ = beside(socket, name);
  const UniqueFd file(
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file) name_ = std::move(name);
}

ControlProof::~ControlProof() {
  // The launcher has taken it, unless it did not get that far.
  if (!name_.empty()) ::unlink(path_.c_str());
}

bool has_to_prove() {
  return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0;
}

bool has_to_prove(pid_t pid) {
  // Of another namespace of processes, in which nothing is that we have started.
  if (pid <= 0) return false;
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  const std::string status{std::istreambuf_iterator<char>(file), {}};
  // One that has ended meanwhile may have been anybody; of another user /proc may hide it.
  if (status.empty()) return ::kill(pid, 0) != 0 && errno == ESRCH;
  return parse_process_status(status).no_new_privileges;
}

bool take_proof(const std::string& socket, const std::string& name) {
  const auto digits = std::string_view(name).substr(std::min(start.size(), name.size()));
  const bool is_name = name.starts_with(start) && digits.size() == 2 * random_bytes &&
                       digits.find_first_not_of("0123456789abcdef") == digits.npos;
  return is_name && ::unlink(beside(socket, name).c_str()) == 0;
}

}  // namespace vmr
