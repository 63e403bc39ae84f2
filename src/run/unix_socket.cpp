// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace vmr {
namespace {

constexpr int backlog = 128;  // as many as a launcher serves

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const std::string cause = std::strerror(errno);
  throw Error(fmt::format("cannot {} the socket {}", what, path), cause, "");
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  const auto longest = sizeof(address.sun_path) - 1;
  if (path.size() > longest) {
    throw Error(fmt::format("the path of a socket has {} bytes: {}", path.size(), path),
                fmt::format("a socket's path has at most {} bytes", longest),
                "use a shorter runtime folder or GUEST_NAME");
  }
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, longest);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// How long connecting and sending may block; zero: for ever.
bool limit_sending(const UniqueFd& socket, std::chrono::milliseconds time) {
  timeval limit{};
  limit.tv_sec = time.count() / 1000;
  limit.tv_usec = time.count() % 1000 * 1000;
  return ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

}  // namespace

UniqueFd listen_at(const std::string& path, std::optional<Owner> owner) {
  const auto address = address_of(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Before bind, so that nobody else can connect even for a moment: Linux gives the file the mode
  // of the socket.
  if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), generic(address), sizeof(address)) != 0 ||
      ::listen(socket.get(), backlog) != 0) {
    fail("listen at", path);
  }
  if (owner && ::lchown(path.c_str(), owner->uid, owner->gid) != 0) fail("give away", path);
  // Without an event of its own, who sees the file a moment before listen would wait for ever.
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  return socket;
}

UniqueFd connect_to(const std::string& path) {
  const auto address = address_of(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), generic(address), sizeof(address)) != 0) {
    fail("connect to", path);
  }
  return socket;
}

UniqueFd connect_within(const std::string& path, std::chrono::milliseconds timeout) {
  const auto address = address_of(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // No time at all would mean for ever.
  const auto left = std::max(timeout, std::chrono::milliseconds(1));
  if (!socket || !limit_sending(socket, left) ||
      ::connect(socket.get(), generic(address), sizeof(address)) != 0 ||
      !limit_sending(socket, std::chrono::milliseconds(0))) {
    return {};
  }
  return socket;
}

}  // namespace vmr
