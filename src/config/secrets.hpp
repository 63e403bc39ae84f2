// SPDX-License-Identifier: MIT
// Where secrets stand in words that others could read: a command line, an environment, a log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// Where in a word of a command line or an environment the value of a secret setting begins
/// ("GUEST_PASSWORD=…", "--set=guest_password=…"); the word's length when there is none.
std::size_t secret_start(std::string_view word);

/// QEMU's argument with "…" in place of the text of a secret in it (`secret,data=…`, `password=…`),
/// and of all up to the next comma that is not doubled. Unquoted words and whole lines are taken.
std::string without_secrets(std::string_view argument);

/// Whether there is one.
bool has_secret(std::string_view argument);

/// A command as a line of shell words for the log, each without secrets.
std::string command_for_log(const std::vector<std::string>& argv);

}  // namespace vmr
