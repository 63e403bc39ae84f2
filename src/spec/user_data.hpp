// SPDX-License-Identifier: MIT
// The rules about the user's own user-data: what cloud-init would make of it.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"

#include <string>
#include <vector>

namespace vmr {

/// What cloud-init would make of user-data.
struct UserDataJudgement {
  bool is_too_large = false;   ///< expanded, beyond what is looked at
  bool is_taken = true;        ///< cloud-init does something with it
  std::string against_mounts;  ///< the setting with which our vendor-data would not mount; or empty
  bool disables_login = false;   ///< cloud-init would not take the login from our vendor-data
  bool has_default_user = true;  ///< to whom our login goes
  bool lets_root_in = false;     ///< with the same keys
  std::vector<std::string> later_faults;  ///< what keeps later boots from mounting, half sentences
  std::vector<std::string> warnings;      ///< half sentences, to stand behind its name
  std::vector<std::string> notes;         ///< likewise: what only the guest knows

  bool operator==(const UserDataJudgement&) const = default;
};

UserDataJudgement judge_user_data(const std::string& bytes);

/// Adds what is wrong with CLOUD_INIT_USER_DATA. Whether cloud-init takes it: false where none is
/// given.
bool check_user_data(const Config& config, const Host& host, Findings& findings);

}  // namespace vmr
