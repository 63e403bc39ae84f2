// SPDX-License-Identifier: MIT
#include "support/terminal.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <unistd.h>

namespace vmr::test {

Terminal::Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) {
    throw std::runtime_error("no pseudo-terminal");
  }
  name_ = ::ptsname(master_.get());
  slave_.reset(::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

StartDetails Terminal::details() const {
  return {{}, [name = name_] {
            ::setsid();
            const int fd = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
            ::ioctl(fd, TIOCSCTTY, 0);
            ::dup2(fd, STDIN_FILENO);
            ::dup2(fd, STDOUT_FILENO);
          }};
}

void Terminal::type(const std::string& keys) const {
  REQUIRE(::write(master_.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

std::string Terminal::read_to(const std::string& text) {
  while (screen_.find(text) == screen_.npos) {
    pollfd waiting{master_.get(), POLLIN, 0};
    std::array<char, 4096> bytes{};
    if (::poll(&waiting, 1, 10'000) != 1) return "no '" + text + "' in: " + screen_;
    const auto size = ::read(master_.get(), bytes.data(), bytes.size());
    if (size <= 0) return "end: " + screen_;
    screen_.append(bytes.data(), static_cast<std::size_t>(size));
  }
  const auto before = screen_.substr(0, screen_.find(text));
  screen_.erase(0, before.size() + text.size());
  return before;
}

termios Terminal::attributes() const {
  termios attributes{};
  REQUIRE(::tcgetattr(slave_.get(), &attributes) == 0);
  return attributes;
}

void Terminal::hang_up() {
  slave_.reset();
  master_.reset();
}

bool are_equal(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
         a.c_lflag == b.c_lflag && std::memcmp(a.c_cc, b.c_cc, sizeof a.c_cc) == 0;
}

bool is_raw(const termios& attributes) {
  return (attributes.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (attributes.c_oflag & OPOST) != 0;
}

}  // namespace vmr::test
