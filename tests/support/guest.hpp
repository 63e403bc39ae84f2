// SPDX-License-Identifier: MIT
// Boots real guests and looks at what they did.
#pragma once

#include "support/launcher.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

/// Shows what differs when lists of lines are compared.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += "\n    " + line;
    return ("[" + text + "]").c_str();
  }
};

namespace vmr::test {

/// The folder of the tiny guest, of the Debian one, or of the Debian one with what scripts/test
/// adds; the test fails when it is not there, with the command that makes it.
std::string tiny_guest();
std::string debian_guest();
std::string test_guest();

/// Settings that boot the tiny guest in the least time.
Launcher::Variables tiny_settings();

/// `first` with what `second` sets.
Launcher::Variables join(Launcher::Variables first, const Launcher::Variables& second);

/// Settings of one share: join_share(2, {{"SOURCE", "/x"}}) is {{"FILESYSTEM2_SOURCE", "/x"}}.
Launcher::Variables share(int number, const Launcher::Variables& settings);

/// What one boot of a guest showed, line by line.
struct Observed {
  int status = -1;
  std::vector<std::string> log;   ///< of the launcher, with "[INFO] " and the like
  std::vector<std::string> said;  ///< what the guest's script told with `say`
  std::string console;            ///< all that the guest wrote

  /// The lines of the log that contain `text`.
  [[nodiscard]] std::vector<std::string> log_with(const std::string& text) const;
};

/// Boots the tiny guest with `script` as user-data; it powers off at the end of the script. In the
/// script, `say WORDS` tells the test one line.
Observed boot(const Launcher::Variables& variables, const std::string& script);

/// What is in the finished run of a guest whose script used `say`.
Observed observe(const Finished& finished);

/// `body` as the user-data of a guest, with `say` defined.
std::string guest_script(const std::string& body);

std::vector<std::string> lines_of(const std::string& text);

/// The contents of the file at `path`; empty when there is none.
std::string read_file(const std::string& path);

/// "uid:gid mode 'contents'" of a host file, with " guest-uid=…", " guest-gid=…" and "
/// guest-mode=…" where 9p's mapped mode keeps them in extended attributes; "missing" when there is
/// no file.
std::string describe_file(const std::string& path);

/// A file with `text`, gone at the end.
class TextFile {
 public:
  explicit TextFile(const std::string& text) { write_text(path(), text); }
  [[nodiscard]] std::string path() const { return folder_ / "text"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace vmr::test
