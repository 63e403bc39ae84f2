// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace vmr {

/// Whether cloud-init would ignore our vendor-data, and with it the shares, because this user-data
/// says `vendor_data: {enabled: false}`.
bool turns_vendor_data_off(const std::string& user_data);

}  // namespace vmr
