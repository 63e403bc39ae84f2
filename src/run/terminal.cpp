// SPDX-License-Identifier: MIT
#include "run/terminal.hpp"

#include <fmt/format.h>

#include <csignal>
#include <unistd.h>

namespace vmr {
namespace {

constexpr char ctrl_right_bracket = 0x1d;

/// tcsetattr, also from a background job: the terminal would stop us otherwise.
void set_attributes(int fd, const termios& attributes) {
  const auto before = std::signal(SIGTTOU, SIG_IGN);
  ::tcsetattr(fd, TCSADRAIN, &attributes);
  std::signal(SIGTTOU, before);
}

}  // namespace

bool has_keyboard() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground == -1 || foreground == ::getpgrp();
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios attributes{};
  if (::tcgetattr(fd, &attributes) != 0) return;
  before_ = attributes;
  ::cfmakeraw(&attributes);
  attributes.c_oflag |= OPOST | ONLCR;
  set_attributes(fd, attributes);
}

RawTerminal::~RawTerminal() {
  if (before_) set_attributes(fd_, *before_);
}

EscapeKeys::Typed EscapeKeys::take(std::string_view keys) {
  Typed typed;
  for (const char key : keys) {
    count_ = key == ctrl_right_bracket ? count_ + 1 : 0;
    if (count_ == 3) {
      count_ = 0;
      typed.leave = true;
      return typed;
    }
    typed.for_guest += key;
  }
  return typed;
}

std::string EscapeKeys::hint(std::string_view outcome) const {
  if (count_ == 0) return {};
  return fmt::format("Ctrl-] {} more {}", count_ == 1 ? "twice" : "once", outcome);
}

}  // namespace vmr
