// SPDX-License-Identifier: MIT
// What each driver and access mode does with owners, modes and special files, seen in the guest and
// on the host: one boot of the tiny guest with a share of each.
#pragma once

#include "support/launcher.hpp"
#include "support/observed_table.hpp"
#include "support/temporary_folder.hpp"

#include <map>
#include <string>
#include <vector>

namespace vmr::test {

class AccessModes {
 public:
  /// Makes the shares' sources. virtiofs belongs into the column `virtiofs_column`, and `qemu` is
  /// the one that runs ("QEMU 7.2" or "QEMU 10"). Needs root: another user's shares are other ones.
  AccessModes(std::string virtiofs_column, std::string qemu);

  /// The folder that holds the sources, one for each share.
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }

  /// The source of the read-only virtiofs share, for a virtiofsd that needs it mounted so.
  [[nodiscard]] std::string readonly_virtiofs_source() const { return folder_ / "ro-virtiofs"; }

  /// The shares, for a launcher that sees folder() as `seen_as`.
  [[nodiscard]] static Launcher::Variables settings(const std::string& seen_as);

  /// What the guest runs; what it prints is the `console` below.
  [[nodiscard]] static std::string script();

  /// The reason in the launcher's log for which FILESYSTEM_ACCESSMODE is refused; empty when it is
  /// not.
  [[nodiscard]] static std::string refusal_in(const std::string& log);

  /// Compares all that was seen with the document's table. `refusal` is why virtiofs with `mapped`
  /// or `squash` is refused.
  void check_table(const std::string& console, const std::string& refusal) const;

  /// Checks what is promised of the modes, whatever the document says.
  void check_promises(const std::string& console) const;

 private:
  TemporaryFolder folder_;
  std::string virtiofs_column_;
  std::string qemu_;
};

}  // namespace vmr::test
