// SPDX-License-Identifier: MIT
#pragma once

#include "spec/yaml_value.hpp"

namespace vmr {

/// Whether cloud-init makes the image's default user, to whom GUEST_PASSWORD and SSH_PUBKEY go: it
/// does unless the `users` of `config` leave it out.
bool has_default_user(const YamlValue& config);

/// Whether cloud-init lets root log in with the keys of the default user.
bool is_root_let_in(const YamlValue& config);

}  // namespace vmr
