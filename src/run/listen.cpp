// SPDX-License-Identifier: MIT
#include "run/listen.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "run/descriptors.hpp"
#include "run/runtime_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace vmr {
namespace {

/// Sockets that listen, with their files; all are gone unless exec takes them over.
class BoundSockets {
 public:
  BoundSockets() = default;
  ~BoundSockets() {
    for (const auto& path : paths_) ::unlink(path.c_str());
  }
  BoundSockets(const BoundSockets&) = delete;
  BoundSockets& operator=(const BoundSockets&) = delete;

  void bind(int number, const std::string& path) {
    sockets_.push_back(listen_at(path));
    paths_.push_back(path);
    moves_.emplace_back(sockets_.back().get(), number);
  }

  void connect(int number, const std::string& path) {
    sockets_.push_back(connect_to(path));
    moves_.emplace_back(sockets_.back().get(), number);
  }

  /// Returns 0 or the errno.
  int place() { return place_descriptors(moves_); }

 private:
  std::vector<UniqueFd> sockets_;
  std::vector<std::string> paths_;
  std::vector<std::pair<int, int>> moves_;
};

[[noreturn]] void fail(const std::string& program, int error) {
  throw Error(fmt::format("cannot start {}", program), std::strerror(error), "");
}

}  // namespace

void become_with_sockets(const std::vector<std::pair<int, std::string>>& sockets,
                         const std::vector<std::pair<int, std::string>>& connections,
                         const std::vector<std::string>& command) {
  if (command.empty()) throw Error("no command is given", "", "", ExitStatus::usage);
  BoundSockets bound;
  for (const auto& [number, path] : sockets) bound.bind(number, path);
  for (const auto& [number, path] : connections) bound.connect(number, path);

  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const auto& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  if (const int error = bound.place(); error != 0) fail(command.front(), error);
  ::execvp(argv.front(), argv.data());
  fail(command.front(), errno);
}

}  // namespace vmr
