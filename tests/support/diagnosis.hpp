// SPDX-License-Identifier: MIT
// What `vm-runner doctor` finds on a FakeHost, and what it is to find.
#pragma once

#include "base/unique_fd.hpp"
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace vmr::test {

inline std::string text_of(const boost::json::object& object, boost::json::string_view key) {
  return std::string(object.at(key).as_string());
}

/// What `doctor --format=json` said, and the checks that it is one line and leaves nothing.
struct Diagnosis {
  int status = -1;
  boost::json::object report;

  /// "result evidence" of the check `name` of `area`; empty when there is none.
  [[nodiscard]] std::string about(const std::string& area, const std::string& name) const {
    std::string found;
    for (const auto& value : report.at("checks").as_array()) {
      const auto& check = value.as_object();
      if (text_of(check, "area") != area || text_of(check, "name") != name) continue;
      found += fmt::format("{}{} {}", found.empty() ? "" : "\n", text_of(check, "result"),
                           text_of(check, "evidence"));
    }
    return found;
  }
};

inline Diagnosis diagnose(const FakeHost& host, const Launcher::Variables& more = {},
                          const StartDetails& details = {}) {
  Launcher launcher(host.settings(more), {"doctor", "--format=json"}, details);
  const auto finished = host.finish(launcher);
  INFO(finished.output << finished.log);
  CHECK(finished.log == "");
  REQUIRE(lines_of(finished.output).size() == 1);
  Diagnosis diagnosis{finished.status, boost::json::parse(finished.output).as_object()};
  CHECK(diagnosis.report.at("exit_status") == finished.status);
  CHECK(diagnosis.report.at("ok") == (finished.status == 0));
  return diagnosis;
}

inline std::string qemu_img() {
  const auto program = find_in_path("qemu-img");
  if (program.empty()) MESSAGE("SKIPPED: there is no qemu-img here");
  return program;
}

inline void make_image(const std::string& path, const std::vector<std::string>& more = {}) {
  std::vector<std::string> argv = {qemu_img(), "create", "-q", "-f", "qcow2"};
  argv.insert(argv.end(), more.begin(), more.end());
  argv.push_back(path);
  if (more.empty()) argv.emplace_back("64M");
  REQUIRE(capture(argv).ok);
}

/// A port of 127.0.0.1 that is taken for as long as this exists.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::listen(socket_.get(), 1) == 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size);
    number = ntohs(name.sin_port);
  }

  std::uint16_t number = 0;

  /// Whether somebody has connected.
  [[nodiscard]] bool was_asked() const {
    pollfd waiting{socket_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }

 private:
  UniqueFd socket_;
};

}  // namespace vmr::test
