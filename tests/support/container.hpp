// SPDX-License-Identifier: MIT
// Runs the image of docker/Dockerfile.
#pragma once

#include "host/capture.hpp"
#include "support/temporary_folder.hpp"

#include <string>
#include <vector>

namespace vmr::test {

/// Whether there is a Docker command at all ($DOCKER, or docker); without one the tests that need
/// it are skipped, visibly.
bool has_docker();

/// That command.
std::string docker_command();

/// The image's name: $VM_RUNNER_IMAGE, which is taken as it is; else it is built, once a program.
const std::string& built_image();

/// Runs `docker ARGUMENTS…` to its end.
Captured run_docker(const std::vector<std::string>& arguments);

/// Boots the tiny guest in a container with FILESYSTEM_SOURCE=/share; `script` is what the guest
/// runs, `options` are further ones of `docker run`. `work` is for files of this run; its folder
/// `share` is made.
Captured boot_in_container(const TemporaryFolder& work, const std::string& script,
                           const std::vector<std::string>& options);

/// Options of `docker run` that put this machine's C virtiofsd into the container as the one to
/// use; empty, and told, where this machine has none. `work` is for files of this run.
std::vector<std::string> c_virtiofsd_options(const TemporaryFolder& work);

/// Whether `text` is in what it wrote, to either stream.
bool says(const Captured& run, const std::string& text);

}  // namespace vmr::test
