// SPDX-License-Identifier: MIT
#include "config/load.hpp"
#include "spec/shares.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vmr::test {
namespace {

Host host_with_files() {
  auto host = docker_host();
  host.guest = GuestImage{"d", "", "", "/vms/a/top.qcow2", "qcow2", "", ""};
  host.files["/vms/a/top.qcow2"] = regular_file();
  host.files["/vms/a/top.qcow2"].backing = "/vms/a/b/base";
  host.files["/vms/a/b/base"] = regular_file();
  for (const auto* path : {"/vms", "/vms/a", "/vms/a/b", "/vms/a/b/c", "/vms/other", "/data",
                           "/data/share", "/run", "/run/vm-runner/vm", "/share"}) {
    host.files[path] = folder();
  }
  return host;
}

/// What is said of a writable share of `source`; empty: nothing.
std::string said_of(const std::string& source, const Strings& more = {},
                    const Host& host = host_with_files()) {
  Strings settings = {"FILESYSTEM_SOURCE=" + source, "BASE_IMAGE=/vms/a/top.qcow2", "ACCEL=tcg"};
  settings.insert(settings.end(), more.begin(), more.end());
  for (const auto& problem : resolve_settings(settings, host).problems) {
    if (problem.message.starts_with("FILESYSTEM_SOURCE=")) return problem.message;
  }
  return {};
}

TEST_CASE("a share with the guest's own disk in it is refused, with the way out") {
  CHECK(judge({"FILESYSTEM_SOURCE=/vms/a", "BASE_IMAGE=/vms/a/top.qcow2"}, host_with_files())
            .problems ==
        std::vector<Problem>{
            {"FILESYSTEM_SOURCE='/vms/a': it has BASE_IMAGE in it, '/vms/a/top.qcow2': what the "
             "guest writes there decides what the next start opens",
             "FILESYSTEM_SOURCE (environment)",
             "share another folder, or set FILESYSTEM_READONLY=1"}});
}

TEST_CASE("what decides of a guest's start is not handed to it") {
  const auto is_refused = [](const std::string& said, const std::string& what) {
    return said.find(what) != std::string::npos;
  };
  CHECK(is_refused(said_of("/vms"), "BASE_IMAGE"));
  CHECK(is_refused(said_of("/vms/a/b"), "the image behind the guest's disk"));
  CHECK(is_refused(said_of("/run"), "the runtime directory"));
  CHECK(is_refused(said_of("/run/vm-runner/vm"), "it is in the runtime directory"));
  const Strings kept = {"PERSIST=1", "PERSIST_BASE=overlay", "DATA_DIR=/data", "GUEST_PASSWORD=x"};
  CHECK(is_refused(said_of("/data", kept), "DATA_DIR"));
  CHECK(is_refused(said_of("/data", {"DATA_DIR=/data"}), "DATA_DIR"));
  // What is beside them, or below, shows the guest none of it.
  for (const auto* source : {"/vms/other", "/vms/a/b/c", "/share", "/data"}) {
    CHECK(said_of(source) == "");
  }
  CHECK(said_of("/data/share", kept) == "");
  CHECK(said_of("/vms", {"FILESYSTEM_READONLY=1"}) == "");
}

TEST_CASE("neither links nor other mounts hide what is in a share") {
  auto host = host_with_files();
  host.files["/share"].real_path = "/vms/a";
  CHECK(said_of("/share", {}, host) != "");
  host = host_with_files();
  host.files["/vms/a/top.qcow2"].real_path = "/share/disks/top.qcow2";
  CHECK(said_of("/share", {}, host) != "");
  host = host_with_files();
  host.files["/share"].place = "8:1 /srv";
  host.files["/vms/a/top.qcow2"].place = "8:1 /srv/vms/top.qcow2";
  CHECK(said_of("/share", {}, host) != "");
  host.files["/share"].place = "8:2 /srv";
  CHECK(said_of("/share", {}, host) == "");
}

TEST_CASE("a share that is added is looked at in the same way") {
  const auto host = host_with_files();
  const auto config =
      load_config({}, {"FILESYSTEM5_SOURCE=/vms/a", "BASE_IMAGE=/vms/a/top.qcow2"}, {}).config;
  const auto added = resolve_added_share(config, {}, host);
  REQUIRE(added.problems.size() == 1);
  CHECK(added.problems[0].message.starts_with(
      "FILESYSTEM5_SOURCE='/vms/a': it has BASE_IMAGE in it"));
}

TEST_CASE("in a container a source that is no mount is lost with it, whoever owns it") {
  auto host = docker_host();
  host.files["/share"].on_root_mount = true;
  host.files["/share"].mode = 0700;
  CHECK(
      judge({"FILESYSTEM_SOURCE=/share"}, host) ==
      Verdict{{},
              {"Filesystem #1: '/share' is no mount but the container's own layer: what the guest "
               "writes there is lost with the container (docker run -v FOLDER:/share keeps it)"}});
  CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_READONLY=1"}, host) == Verdict{});
  // The root of other containers may stay, unless it is made of layers.
  const auto warns = [&](Surroundings surroundings, bool has_layers) {
    host.surroundings = surroundings;
    host.files["/share"].root_has_layers = has_layers;
    const auto warnings = judge({"FILESYSTEM_SOURCE=/share"}, host).warnings;
    return std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
      return warning.find("own layer") != warning.npos;
    });
  };
  CHECK(warns(Surroundings::podman, false));
  CHECK(warns(Surroundings::container, true));
  CHECK_FALSE(warns(Surroundings::container, false));
  CHECK_FALSE(warns(Surroundings::machine, true));
}

}  // namespace
}  // namespace vmr::test
