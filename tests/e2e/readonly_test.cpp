// SPDX-License-Identifier: MIT
// A read-only share stays as it is, whatever the guest tries.
#include "host/programs.hpp"
#include "support/guest.hpp"
#include "support/read_only_mount.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <sys/stat.h>

using namespace vmr::test;

namespace {

using Lines = std::vector<std::string>;

/// Tries everything that would change the shares below /mnt, then once more after the guest's root
/// has mounted them read-write.
constexpr const char* attack = R"sh(
attack() {
  for command in 'echo x > file' 'echo x >> file' 'touch new' 'mkdir new' 'rm -f file' \
                 'mv -f file new' 'chmod 777 file' 'chown 5 file' 'ln -s x new'; do
    sh -c "$command" >/tmp/said 2>&1 && say "$PWD: $command worked"
    grep -q 'Read-only file system' /tmp/said || say "$PWD: $command: $(cat /tmp/said)"
  done
}
for folder in /mnt/*; do
  cd "$folder"
  say "$(cat file)"
  attack
  cd /
  mount -o remount,rw "$folder" || say "$folder: no remount"
  grep " $folder " /proc/mounts | grep -q ' rw' || say "$folder: still mounted ro"
  cd "$folder"
  attack
done
say end
)sh";

std::optional<vmr::VirtiofsdFacts> virtiofsd() {
  std::string problem;
  auto facts = vmr::find_virtiofsd("/nonexistent", problem);
  CHECK_MESSAGE(facts.has_value(), problem);
  return facts;
}

/// A virtiofs share of `source`, mounted at /mnt/ro.
Launcher::Variables readonly_virtiofs(const std::string& source) {
  return share(1, {{"SOURCE", source}, {"TARGET", "ro"}, {"READONLY", "1"}});
}

void check_attacked(const Observed& seen, const std::string& source) {
  CHECK(seen.status == 0);
  CHECK(seen.said == Lines{"as it was", "end"});
  CHECK(read_file(source + "/file") == "as it was");
  CHECK(seen.log_with("mounted in the guest") ==
        Lines{"[INFO] Filesystem #1: mounted in the guest at /mnt/ro"});
}

}  // namespace

TEST_CASE("a read-only 9p share stays as it is after the guest remounts it") {
  const TemporaryFolder host;
  const Lines modes = {"mapped", "passthrough", "squash"};
  Launcher::Variables variables;
  Lines announced;
  int number = 0;
  for (const auto& mode : modes) {
    const auto source = host / mode;
    ::mkdir(source.c_str(), 0755);
    write_text(source + "/file", "as it was");
    variables = join(
        variables,
        share(++number,
              {{"SOURCE", source}, {"DRIVER", "9p"}, {"ACCESSMODE", mode}, {"READONLY", "1"}}));
    announced.push_back(fmt::format(
        "[INFO] Filesystem #{}: {} -> guest tag '{}' (read-only, driver=9p, accessmode={}, "
        "mount=/mnt/{})",
        number, source, mode, mode, mode));
  }
  const auto before = describe_file(host / "mapped/file");

  const auto seen = boot(variables, attack);

  CHECK(seen.status == 0);
  CHECK(seen.said == Lines{"as it was", "as it was", "as it was", "end"});
  CHECK(seen.log_with("-> guest tag") == announced);
  for (const auto& mode : modes) {
    CAPTURE(mode);
    CHECK(describe_file(host / mode + "/file") == before);
    CHECK(describe_file(host / mode + "/new") == "missing");
  }
}

TEST_CASE("a read-only virtiofs share is enforced by the daemon or refused") {
  const auto daemon = virtiofsd();
  if (!daemon) return;
  const TemporaryFolder host;
  write_text(host / "file", "as it was");
  if (daemon->has_readonly) {
    MESSAGE(daemon->path << " has --readonly: the share is booted and attacked");
    check_attacked(boot(readonly_virtiofs(host.path()), attack), host.path());
    return;
  }
  MESSAGE(daemon->path << " has no --readonly: the share is refused");
  const auto finished = run_launcher(join(tiny_settings(), readonly_virtiofs(host.path())));
  CHECK(finished.status == 3);
  CHECK(finished.output.empty());
  CHECK(finished.log ==
        "error: FILESYSTEM_READONLY='1': virtiofs does not yet support read-only mode with this "
        "virtiofsd (" +
            daemon->path +
            " has no --readonly)\n"
            "  from:  FILESYSTEM_READONLY (environment)\n"
            "  hint:  mount the source read-only on the host (docker run -v …:ro), or "
            "use virtiofsd 1.13 or later, or use FILESYSTEM_DRIVER=9p\n");
}

TEST_CASE("a read-only virtiofs share of a folder that the host mounts read-only works") {
  const TemporaryFolder host;
  write_text(host / "file", "as it was");
  const ReadOnlyMount mount(host.path());
  if (!mount.works()) {
    MESSAGE("SKIPPED: this process may not mount: " << mount.reason());
    return;
  }
  check_attacked(boot(readonly_virtiofs(host.path()), attack), host.path());
}
