// SPDX-License-Identifier: MIT
// What the guest runs for `vm-runner exec`, and the words that its launcher and client know.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace vmr {

/// The streams of a command, each over a virtio-serial port of its own. What comes back on the port
/// of `in` is nothing; to that of `err` the client writes a line for each signal: "INT", "TERM".
inline constexpr std::array<std::string_view, 3> exec_streams = {"in", "out", "err"};

/// The name of the virtio-serial port for `stream` of the command `number`.
std::string exec_port(int number, std::string_view stream);

// A mark is the token, one of these words and a newline. It is no part of the stream it is in.
/// In `err`, before anything else: the guest has opened its ports.
inline constexpr std::string_view started_mark = "-";
/// In `out` and `err`, after all that they got from it: the command has ended, with this status.
/// The word is a number. Processes that it left behind may still write.
inline constexpr std::size_t longest_status_mark = 3;
/// In `out` and `err`, last: nobody can write to it any more.
inline constexpr std::string_view ended_mark{};

/// Throws Error when `command` (shell words in ASCII) is longer than what fits between here and the
/// agent at once.
void check_exec_command(std::string_view command);

/// The POSIX shell script, in ASCII, that runs `command` (shell words in ASCII) with its streams on
/// the ports of `number`, and tells what becomes of it by marks with `token`. A signal goes to all
/// of the command's process group, the end of the port of `err` is a SIGHUP.
std::string exec_script(int number, std::string_view token, std::string_view command);

}  // namespace vmr
