// SPDX-License-Identifier: MIT
// A place where vm-runner finds fake programs only, and what they noted down. The behaviours that
// the environment gives them are at the top of tests/fakes/*.cpp.
#pragma once

#include "base/unique_fd.hpp"
#include "support/launcher.hpp"
#include "support/temporary_folder.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace vmr::test {

/// While it exists, orphans become children of this process: none is overlooked.
class FakeHost {
 public:
  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// Settings of a bootable VM without shares under TCG, with what `more` sets.
  [[nodiscard]] Launcher::Variables settings(const Launcher::Variables& more = {}) const;

  /// Settings of share `number`.
  [[nodiscard]] static Launcher::Variables virtiofs_share(int number, const std::string& source);

  /// Runs vm-runner with `settings(more)` to its end, as `finish` does.
  [[nodiscard]] Finished run(const Launcher::Variables& more = {},
                             const StartDetails& details = {}) const;

  /// Waits for the end of the only launcher there is, and checks that no file and no process of it
  /// is left. Its log is without the warnings that shares have no sandbox.
  Finished finish(Launcher& launcher) const;

  /// The path of `name` in a folder for anything.
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }

  /// What "qemu" or "virtiofsd-<n>" noted when it started last.
  [[nodiscard]] std::vector<std::string> argv_of(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> descriptors_of(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> place_of(const std::string& name) const;

  /// How often it started.
  [[nodiscard]] std::size_t starts_of(const std::string& name) const;

  /// XDG_RUNTIME_DIR, and what is in it and below, sorted.
  [[nodiscard]] std::string runtime_folder() const { return folder_ / "run"; }
  [[nodiscard]] std::vector<std::string> left_files() const;

 private:
  TemporaryFolder folder_;
};

/// Waits for each child of this process; how they ended, as wait_for tells it: "1009 1009".
std::string reap_all_children();

/// Whether this process has a child, ended or not.
bool has_children();

/// Where a fake program that passes its gate has to stop, for as long as this exists.
class Gate {
 public:
  /// To be made before the program gets there.
  Gate(const FakeHost& host, const std::string& name);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Waits until the program is there.
  void wait();

  /// Waits, then lets it pass, once.
  void open();

 private:
  std::string path_;
  UniqueFd fd_;
};

/// Whether `command` can be executed here with success.
bool works_here(const std::vector<std::string>& command);

}  // namespace vmr::test
