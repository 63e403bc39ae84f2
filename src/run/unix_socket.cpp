// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace vmr {
namespace {

constexpr int backlog = 8;

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

}  // namespace

UniqueFd listen_at(const std::string& path) {
  const auto address = address_of(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Before bind, so that nobody else can connect even for a moment: Linux gives the file the mode
  // of the socket.
  if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), generic(address), sizeof(address)) != 0 ||
      ::listen(socket.get(), backlog) != 0) {
    fail("listen at", path);
  }
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

}  // namespace vmr
