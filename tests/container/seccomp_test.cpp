// SPDX-License-Identifier: MIT
// docker/seccomp-virtiofs.json: what works with it, that nothing less is enough, and that nothing
// else was added to Docker's default profile.
#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <cstdlib>

using namespace vmr::test;

namespace {

namespace json = boost::json;
using Words = std::vector<std::string>;

constexpr const char* committed = SOURCE_FOLDER "/docker/seccomp-virtiofs.json";
constexpr const char* script = SOURCE_FOLDER "/scripts/make-seccomp-profile";

json::object parse_file(const std::string& path) {
  return json::parse(read_text(path)).as_object();
}

/// The committed profile without its one rule for the system call `name` alone; the path of a file
/// in `work`.
std::string profile_without(const TemporaryFolder& work, const std::string& name) {
  auto profile = parse_file(committed);
  auto& rules = profile.at("syscalls").as_array();
  const auto before = rules.size();
  const json::array names = {json::value(name)};
  for (auto rule = rules.begin(); rule != rules.end();) {
    rule = rule->at("names").as_array() == names ? rules.erase(rule) : rule + 1;
  }
  REQUIRE(rules.size() + 1 == before);
  auto path = work / "less.json";
  write_text(path, json::serialize(profile));
  return path;
}

/// Boots a guest that writes into the share, in a container with this seccomp profile.
vmr::Captured boot_with(const TemporaryFolder& work, const std::string& profile,
                        const Words& options) {
  Words words = {"--security-opt",
                 "seccomp=" + profile,
                 "-e",
                 "LOG_VERBOSE=1",
                 "-e",
                 "ACCEL=tcg",
                 "-v",
                 (work / "share") + ":/share"};
  words.insert(words.end(), options.begin(), options.end());
  return boot_in_container(work, "echo hello host >/mnt/share/from-guest\n", words);
}

/// The guest wrote into the share, which a virtiofsd with `option` serves.
void check_serves(const Words& options, const std::string& option, const TemporaryFolder& work) {
  const auto run = boot_with(work, committed, options);
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK(says(run, option));
  CHECK(read_file(work / "share/from-guest") == "hello host\n");
}

/// Without the rule for `name`, the launcher refuses before anything starts, and says `problem`.
void check_needs(const std::string& name, const Words& options, const std::string& problem,
                 const TemporaryFolder& work) {
  const auto run = boot_with(work, profile_without(work, name), options);
  INFO(run.output << run.errors);
  CHECK_FALSE(run.ok);
  CHECK(("\n" + run.errors).find("\n" + problem) != std::string::npos);
}

const Words thread_pool = {"-e", "FILESYSTEM_THREAD_POOL_SIZE=4"};
const Words name_space = {"--cap-add", "SYS_ADMIN", "-e", "FILESYSTEM_SANDBOX=namespace"};

Words join_words(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

TEST_CASE("the seccomp profile lets the C virtiofsd serve a share without a capability") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto daemon = c_virtiofsd_options(work);
  if (daemon.empty()) return;
  check_serves(daemon, "sandbox=chroot", work);
  check_needs("unshare", daemon,
              "error: FILESYSTEM_DRIVER='virtiofs': this virtiofsd always calls unshare(2)", work);
}

TEST_CASE("the seccomp profile lets the C virtiofsd use its namespace sandbox with SYS_ADMIN") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  const auto daemon = c_virtiofsd_options(work);
  if (daemon.empty()) return;
  const auto options = join_words(daemon, name_space);
  check_serves(options, "sandbox=namespace", work);
  check_needs("pivot_root", options, "error: FILESYSTEM_SANDBOX='namespace': ", work);
}

TEST_CASE("the seccomp profile lets the Rust virtiofsd have a thread pool") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  check_serves(thread_pool, "--thread-pool-size=4", work);
  check_needs("unshare", thread_pool, "error: FILESYSTEM_THREAD_POOL_SIZE='4': ", work);
}

TEST_CASE("the seccomp profile lets the Rust virtiofsd use its namespace sandbox with SYS_ADMIN") {
  if (!has_docker()) return;
  const TemporaryFolder work;
  check_serves(join_words(name_space, thread_pool), "--sandbox namespace", work);
  check_needs("pivot_root", name_space, "error: FILESYSTEM_SANDBOX='namespace': ", work);
}

TEST_CASE("the seccomp profile opens no user namespaces") {
  if (!has_docker()) return;
  const auto unshare_with = [](const std::string& profile) {
    return run_docker({"run", "--rm", "--user", "1000:1000", "--security-opt", "seccomp=" + profile,
                       "--entrypoint", "unshare", built_image(), "--user", "true"});
  };
  if (!unshare_with("unconfined").ok) {
    MESSAGE("SKIPPED: no user namespace can be made in containers here");
    return;
  }
  const auto run = unshare_with(committed);
  INFO(run.output << run.errors);
  CHECK_FALSE(run.ok);
  CHECK(run.errors == "unshare: unshare failed: Operation not permitted\n");
}

TEST_CASE(
    "the seccomp profile is what its script makes of Docker's default one, and two rules more") {
  const char* path = std::getenv("SECCOMP_DEFAULT");
  if (path == nullptr) {
    MESSAGE("SKIPPED: SECCOMP_DEFAULT does not name Docker's default seccomp profile");
    return;
  }
  const auto made = vmr::capture({script, path});
  INFO(made.errors);
  CHECK(made.ok);
  CHECK(made.output == read_text(committed));

  auto profile = parse_file(committed);
  auto& rules = profile.at("syscalls").as_array();
  REQUIRE(rules.size() > 2);
  const json::array added(rules.end() - 2, rules.end());
  CHECK(json::serialize(added) == json::serialize(json::parse(R"([{
    "names": ["unshare"],
    "action": "SCMP_ACT_ALLOW",
    "args": [{"index": 0, "value": 512, "op": "SCMP_CMP_EQ"}],
    "comment": "CLONE_FS alone: virtiofsd of QEMU up to 7.2, and virtiofsd --thread-pool-size",
    "excludes": {"caps": ["CAP_SYS_ADMIN"]}
  }, {
    "names": ["pivot_root"],
    "action": "SCMP_ACT_ALLOW",
    "comment": "virtiofsd --sandbox namespace",
    "includes": {"caps": ["CAP_SYS_ADMIN"]}
  }])")));
  rules.resize(rules.size() - 2);
  CHECK(profile == parse_file(path));
}

TEST_CASE("the script of the seccomp profile says where the default one is to be had") {
  const auto run = vmr::capture({script});
  CHECK_FALSE(run.ok);
  CHECK(run.output.empty());
  CHECK(run.errors.find("https://github.com/moby/profiles") != std::string::npos);
}
