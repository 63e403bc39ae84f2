// SPDX-License-Identifier: MIT
// What a guest's root reaches outside the shared folder, for every driver, access mode and sandbox:
// one boot of the tiny guest with a share of each. Each trick of support/escape_tricks.hpp has a
// canary of its own beside each shared folder, with contents that nobody can guess.
#pragma once

#include "support/launcher.hpp"
#include "support/observed_table.hpp"
#include "support/temporary_folder.hpp"

#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vmr::test {

/// One share, and its column of the table.
struct ContainedShare {
  std::string tag;
  std::string column;
  std::string qemu;  ///< "QEMU 7.2" or "QEMU 10" where it matters
  Launcher::Variables settings;
  /// Holds nothing: the folder around is shared too, canaries and all, to see the tricks work.
  bool is_control = false;
};

/// 9p in each access mode.
std::vector<ContainedShare> ninep_contained_shares(const std::string& qemu);
/// virtiofs with the virtiofsd of `family` ("C" or "Rust") in `sandbox`.
ContainedShare virtiofs_contained_share(const std::string& family, const std::string& sandbox);
/// The control of a share like `share`.
ContainedShare control_share(ContainedShare share);

/// A folder with a canary: what is in it, and what changes without it. By name, "" is the folder.
struct OutsideView {
  std::map<std::string, std::string> contents;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> times;
};

class Containment {
 public:
  /// Makes the shared folders and the canaries; the launcher will see them in `seen_as`, which is
  /// folder() when empty. Needs root: no other user could reach everything.
  explicit Containment(std::vector<ContainedShare> shares, const std::string& seen_as = {});
  ~Containment();
  Containment(const Containment&) = delete;
  Containment& operator=(const Containment&) = delete;

  /// The folder that holds everything.
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }

  [[nodiscard]] Launcher::Variables settings() const;

  /// What the guest runs; what it prints is the `console` below.
  [[nodiscard]] std::string script() const;

  /// Checks that nothing outside was reached, that the tricks do work in the controls, and that
  /// all is as the table of docs/security.md says.
  void check(const std::string& console) const;

 private:
  struct Canary {
    std::string secret;
    OutsideView before;
  };

  void make(const std::string& tag);
  void move_folders_out() const;
  [[nodiscard]] std::string inside(const std::string& tag) const;
  [[nodiscard]] std::string outside(const std::string& tag, std::size_t number) const;

  /// "held", or what came of one trick outside: "read", "written", "metadata changed".
  [[nodiscard]] std::string outcome(const std::string& tag, std::size_t number,
                                    const std::string& console) const;
  /// The tricks that got out of `share`, known holes aside, with what they did there.
  [[nodiscard]] std::vector<std::string> escapes(const ContainedShare& share,
                                                 const std::string& console) const;
  /// The raw messages that do nothing with a plain name either, so that they prove nothing.
  [[nodiscard]] std::vector<std::string> void_messages(const std::string& tag) const;
  void check_control(const ContainedShare& share, const std::string& console) const;
  void check_table(const std::string& console) const;

  TemporaryFolder folder_;
  std::vector<ContainedShare> shares_;
  std::string seen_as_;
  std::map<std::string, std::vector<Canary>> canaries_;  ///< by tag
  std::thread mover_;
};

}  // namespace vmr::test
