// SPDX-License-Identifier: MIT
#include "run/wait_for_socket.hpp"

#include "base/error.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <sys/inotify.h>

namespace vmr {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& path, const std::string& hint = "") {
  const std::string cause = std::strerror(errno);
  throw Error(fmt::format("cannot wait for the socket {}", path), cause, hint);
}

/// The kernel's word for a user's limit of watches is "No space left on device".
constexpr auto limits_hint = "the limits of this user are in /proc/sys/fs/inotify";

milliseconds time_to(steady_clock::time_point end) {
  return std::max(std::chrono::ceil<milliseconds>(end - steady_clock::now()), milliseconds(0));
}

/// Watches every folder on the way to `path` that is there. All of them, since one further up may
/// be replaced with all that is below; from the root down, since one that appears meanwhile is
/// either found or seen by the watch above it.
void watch_way_to(const std::string& path, const UniqueFd& watch) {
  fs::path folder;
  for (const auto& part : fs::path(path).parent_path()) {
    folder /= part;
    // listen_at makes the last of these events.
    constexpr auto events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB;
    if (::inotify_add_watch(watch.get(), folder.c_str(), events) >= 0) continue;
    if (errno == ENOENT || errno == ENOTDIR) return;
    // One that we may pass but not read is no reason to give up.
    if (errno != EACCES) fail(path, limits_hint);
  }
}

/// False when the time is over.
bool wait_for_event(const UniqueFd& watch, steady_clock::time_point end) {
  const auto left = static_cast<int>(time_to(end).count());
  pollfd ready{watch.get(), POLLIN, 0};
  // Without the first question a folder in which much happens would keep us for ever.
  if (left == 0 || ::poll(&ready, 1, left) == 0) return false;
  std::array<char, 4096> events{};
  if (ready.revents != 0) {
    [[maybe_unused]] const auto size = ::read(watch.get(), events.data(), events.size());
  }
  return true;
}

/// None when nobody listens there yet, or before the time is over.
UniqueFd try_to_connect(const std::string& path, steady_clock::time_point end) {
  auto connection = connect_within(path, time_to(end));
  const bool is_final = errno != ENOENT && errno != ENOTDIR && errno != ECONNREFUSED &&
                        errno != EAGAIN && errno != EINTR;
  if (!connection && is_final) fail(path);
  return connection;
}

}  // namespace

UniqueFd wait_for_socket(const std::string& path, milliseconds timeout) {
  const auto end = steady_clock::now() + timeout;
  if (auto connection = try_to_connect(path, end)) return connection;
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  if (!watch) fail(path, limits_hint);
  do {
    watch_way_to(path, watch);
    if (auto connection = try_to_connect(path, end)) return connection;
  } while (wait_for_event(watch, end));
  return {};
}

}  // namespace vmr
