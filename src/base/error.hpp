// SPDX-License-Identifier: MIT
// What can go wrong, as values: one fatal Error, or every Problem of a configuration at once.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// The exit statuses of the program; `exec` alone returns the guest command's own.
enum class ExitStatus : int {
  ok = 0,                ///< the guest powered off, or stopped as asked
  failed = 1,            ///< QEMU or the launcher failed
  usage = 2,             ///< wrong configuration or command line
  host_unsupported = 3,  ///< this host or container cannot run it
  helper_died = 4,       ///< a virtiofsd died
  stop_timeout = 5,      ///< the guest, or a QEMU told to quit, did not end in time
};

/// A failure that ends the program; thrown once, caught in main.
struct Error : std::runtime_error {
  /// `message` says what failed and on what, `cause` why (may be empty), `hint` what to do (may be
  /// empty).
  Error(const std::string& message, std::string cause, std::string hint,
        ExitStatus status = ExitStatus::failed)
      : std::runtime_error(message),
        cause(std::move(cause)),
        hint(std::move(hint)),
        status(status) {}

  std::string cause;
  std::string hint;
  ExitStatus status;
};

/// One fault of the configuration, or one reason why this host cannot run it.
struct Problem {
  std::string message;  ///< "FILESYSTEM2_ACCESSMODE='mapped': virtiofs only supports …"
  std::string origin;   ///< "FILESYSTEM2_ACCESSMODE (environment)"; empty when nobody set it
  std::string hint;     ///< what to do; may be empty
  ExitStatus status = ExitStatus::usage;

  bool operator==(const Problem&) const = default;
};

/// Every problem found; thrown when a command cannot go on with them.
struct InvalidConfig : std::runtime_error {
  explicit InvalidConfig(std::vector<Problem> problems)
      : std::runtime_error("invalid configuration"), problems(std::move(problems)) {}

  std::vector<Problem> problems;
};

/// "error: …" with "  from:" and "  hint:" lines where there are any; ends with a newline.
std::string format(const Problem& problem);

/// "error: …" with "  cause:" and "  hint:" lines where there are any; ends with a newline.
std::string format(const Error& error);

/// `usage` if any problem is one, else the first problem's own status.
ExitStatus exit_status_of(const std::vector<Problem>& problems);

}  // namespace vmr
