// SPDX-License-Identifier: MIT
// Which driver a share gets, and the options that only one of the two has.
#pragma once

#include "config/config.hpp"
#include "host/host.hpp"
#include "spec/problems.hpp"
#include "spec/vm_spec.hpp"

#include <string>

namespace vmr {

/// The driver of `config`. `auto` takes the one that the share's other settings need, else
/// virtiofs where it can run, else 9p; which and why is said in `findings`. Stays `auto` when a
/// setting that decides it is no value.
Driver choose_driver(const ShareConfig& config, const std::string& source, const Host& host,
                     Findings& findings);

/// Refuses a virtiofs share that cannot run on `host`; under `auto` with the option that needs it.
void check_virtiofs(const ShareConfig& config, const std::string& source, const Host& host,
                    Findings& findings);

/// Refuses what `driver` does not have, in libvirt's words; nothing while it is `auto`.
void check_driver_options(const ShareConfig& config, Driver driver, Findings& findings);

/// Warns of a mapped share whose source holds symbolic links, which QEMU does not read there.
void check_links(const Share& share, const Host& host, Findings& findings);

/// Warns of a 9p share that the user wants without a cache: guests can hang in it.
void check_ninep_cache(const ShareConfig& config, const Share& share, Findings& findings);

}  // namespace vmr
