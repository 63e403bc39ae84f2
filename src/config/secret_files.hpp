// SPDX-License-Identifier: MIT
// Secrets that are read from files: each secret setting X has a setting X_FILE beside it.
#pragma once

#include "base/error.hpp"
#include "config/load.hpp"
#include "config/raw_settings.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// No file with a secret is larger.
inline constexpr std::size_t largest_secret_file = 4096;

/// A file that somebody named for a secret of the VM.
struct SecretFile {
  std::string_view secret;  ///< "GUEST_PASSWORD"
  Given<std::string> path;  ///< of GUEST_PASSWORD_FILE
};

/// "GUEST_PASSWORD_FILE" of "GUEST_PASSWORD".
std::string file_setting_of(std::string_view secret);

/// The files that `given` names, in the order of the settings.
std::vector<SecretFile> find_secret_files(const GivenTexts& given);

/// Those secrets that are given themselves and in a file.
std::vector<Problem> find_doubled_secrets(const GivenTexts& given);

/// Takes `text`, which `file` has, for the secret, without a newline at its end. What is wrong with
/// it comes into `loaded`, which never repeats it.
void take_secret(const SecretFile& file, std::string text, LoadedConfig& loaded);

/// The file cannot be read: `why`. The secret is marked, so that nobody takes it for one that is
/// not given.
void refuse_secret(const SecretFile& file, const std::string& why, LoadedConfig& loaded);

}  // namespace vmr
