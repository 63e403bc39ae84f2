// SPDX-License-Identifier: MIT
// What a guest's root tries to get out of a share. The guest's program and the tests on the host
// share this list; a trick's place in it is its number, and the name of the folder that is its
// target. Nothing but the standard library: the program is linked statically.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vmr::test {

struct EscapeTrick {
  std::string_view way;   ///< through the guest's kernel, or past it
  std::string_view what;  ///< no ", " in it
};

inline constexpr std::string_view by_system_calls = "system calls";
inline constexpr std::string_view by_raw_messages = "raw messages";

inline constexpr std::array<EscapeTrick, 30> escape_tricks = {{
    {by_system_calls, "`..`"},
    {by_system_calls, "relative symlink of the guest"},
    {by_system_calls, "absolute symlink of the guest"},
    {by_system_calls, "relative symlink of the host"},
    {by_system_calls, "absolute symlink of the host"},
    {by_system_calls, "hard link"},
    {by_system_calls, "bind mount"},
    {by_system_calls, "folder swapped with a symlink meanwhile"},
    {by_system_calls, "`..` in a folder that moves"},
    {by_system_calls, "forged file handle"},
    {by_system_calls, "path of 4000 bytes"},
    {by_raw_messages, "`..`"},
    {by_raw_messages, "relative symlink of the guest"},
    {by_raw_messages, "absolute symlink of the guest"},
    {by_raw_messages, "relative symlink of the host"},
    {by_raw_messages, "absolute symlink of the host"},
    {by_raw_messages, "name with `/` looked up"},
    {by_raw_messages, "name with `/` created"},
    {by_raw_messages, "name with `/` for a folder"},
    {by_raw_messages, "name with `/` for a symlink"},
    {by_raw_messages, "name with `/` for a device"},
    {by_raw_messages, "name with `/` hard-linked"},
    {by_raw_messages, "name with `/` renamed"},
    {by_raw_messages, "name with `/` removed"},
    {by_raw_messages, "empty or long name"},
    {by_raw_messages, "forged number of a file"},
    {by_raw_messages, "device opened"},
    {by_raw_messages, "fifo opened"},
    {by_raw_messages, "socket opened"},
    {by_raw_messages, "`..` in a folder that the host moves out"},
}};

inline std::size_t trick_number(std::string_view way, std::string_view what) {
  for (std::size_t i = 0; i < escape_tricks.size(); ++i) {
    if (escape_tricks.at(i).way == way && escape_tricks.at(i).what == what) return i;
  }
  throw std::invalid_argument("no such trick");
}

/// The line that says what the guest saw of trick `number` in the share `tag`. The tests look for
/// the canary's text in what comes behind it.
inline std::string trick_mark(const std::string& tag, std::size_t number) {
  return "TRICK " + tag + " " + std::to_string(number) + " = ";
}

/// Said behind that mark when the host opened a device, fifo or socket for the guest.
inline constexpr std::string_view opened_mark = "opened-by-the-host";

/// Beside the shared folder: the folder of the canaries.
inline constexpr std::string_view outside_folder = "outside";
/// The shared folder.
inline constexpr std::string_view inside_folder = "inside";
/// The canary in the folder of a trick.
inline constexpr std::string_view canary_file = "canary";

/// Names, in the share, of the symbolic links that lead to the folder of a trick and to its canary;
/// `maker` is "guest" or "host".
inline std::string link_to_folder(const std::string& maker, std::size_t number) {
  return maker + "-folder-" + std::to_string(number);
}
inline std::string link_to_canary(const std::string& maker, std::size_t number) {
  return maker + "-canary-" + std::to_string(number);
}

/// A folder that the guest makes in the share and then holds, and the file by which it asks the
/// host to move the folder out.
inline constexpr std::string_view folder_to_move = "move-me";
inline constexpr std::string_view asks_to_move = "ready-to-move";

/// What the guest leaves in the share for a process of the host to fall into.
inline constexpr std::array<std::string_view, 5> escape_leftovers = {
    "setuid program of root", "device", "symlink to the outside", "`security.capability`",
    "`trusted.` attribute"};

/// The name, in the share, of leftover `number`.
inline std::string leftover_name(std::size_t number) {
  return "left-" + std::to_string(number);
}

}  // namespace vmr::test
