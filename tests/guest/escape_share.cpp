// SPDX-License-Identifier: MIT
// escape_share TAG DRIVER ADDRESS BELOW OUTSIDE: tries everything of
// tests/support/escape_tricks.hpp in the share TAG, whose device has the PCI address ADDRESS. It
// runs as root of the tiny guest, which has no libraries: it is linked statically.
#include "guest/escape_attempt.hpp"

#include <cstring>
#include <exception>
#include <iostream>
#include <sys/mount.h>

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: escape_share TAG DRIVER ADDRESS BELOW OUTSIDE\n";
    return 2;
  }
  const vmr::guest::Attempt attempt{argv[1], argv[4], argv[5]};
  try {
    vmr::guest::try_system_calls(attempt);
    vmr::guest::leave_behind(attempt);
    if (::umount(("/mnt/" + attempt.tag).c_str()) != 0) throw std::runtime_error(strerror(errno));
    vmr::guest::try_raw_messages(attempt, argv[2], argv[3]);
  } catch (const std::exception& problem) {
    std::cout << "ESCAPE " << attempt.tag << " ended early: " << problem.what() << std::endl;
    return 1;
  }
  std::cout << "ESCAPE " << attempt.tag << " tried everything" << std::endl;
}
