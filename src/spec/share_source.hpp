// SPDX-License-Identifier: MIT
// Whether a folder of the host can be a share's source, and was meant as one.
#pragma once

#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

namespace vmr {

struct SourceVerdict {
  bool is_made = false;   ///< the folder is missing, and made before the start
  bool is_meant = false;  ///< the path is one that was meant, so that a tag can come from it
};

/// Checks the source folder of `share`, which was given as `config` has it.
SourceVerdict check_source(const ShareConfig& config, const Share& share, const Host& host,
                           Findings& findings);

/// `path` without symbolic links, as far as the host told.
const std::string& real_path(const std::string& path, const Host& host);

}  // namespace vmr
