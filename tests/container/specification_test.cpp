// SPDX-License-Identifier: MIT
// The commands of the specification as they are written there, with the guest that is in the image.
#include "base/shell_words.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

constexpr const char* virtiofs_command = R"sh(
docker run --rm -it \
  --name vmfs \
  --device /dev/kvm:/dev/kvm \
  --cap-add SYS_ADMIN \
  --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined \
  -v "$PWD/share:/share" \
  -e FILESYSTEM_SOURCE=/share \
  -e FILESYSTEM_TARGET=share \
  -e FILESYSTEM_DRIVER=virtiofs \
  docker-vm-runner:test
)sh";

constexpr const char* ninep_command = R"sh(
docker run --rm -it \
  --name vmfs \
  --device /dev/kvm:/dev/kvm \
  -v "$PWD/share:/share" \
  -e FILESYSTEM_SOURCE=/share \
  -e FILESYSTEM_TARGET=share \
  -e FILESYSTEM_DRIVER=9p \
  -e FILESYSTEM_ACCESSMODE=mapped \
  docker-vm-runner:test
)sh";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

/// A command that runs in a folder, its output read as it comes.
class RunningCommand {
 public:
  /// With `on_terminal` its standard streams are a terminal.
  RunningCommand(const TemporaryFolder& work, const std::string& command, bool on_terminal) {
    // Where there is no KVM device at all, Docker itself refuses to name it.
    const auto possible = fs::exists("/dev/kvm")
                              ? command
                              : replaced(command, "  --device /dev/kvm:/dev/kvm \\\n", "");
    write_text(work / "command", "docker() { " + vmr::shell_quote(docker_command()) +
                                     " \"$@\"; }\ncd " + vmr::shell_quote(work.path()) +
                                     "\nmkdir -p share\n" + possible);
    const auto plain = "bash " + vmr::shell_quote(work / "command");
    const auto line =
        on_terminal ? "script -qefc " + vmr::shell_quote(plain) + " /dev/null" : plain;
    pipe_.reset(::popen((line + " </dev/null 2>&1").c_str(), "re"));
    REQUIRE(pipe_);
  }

  /// Reads on until `text` was written; false at the end.
  bool wait_for(const std::string& text) {
    while (output_.find(text) == output_.npos) {
      if (!read_line()) return false;
    }
    return true;
  }

  /// Reads to the end; its exit status.
  int finish() {
    while (read_line()) {
    }
    const int status = ::pclose(pipe_.release());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  struct Close {
    void operator()(std::FILE* pipe) const { ::pclose(pipe); }
  };

  bool read_line() {
    char line[4096];
    if (std::fgets(line, sizeof line, pipe_.get()) == nullptr) return false;
    output_ += line;
    return true;
  }

  std::unique_ptr<std::FILE, Close> pipe_;
  std::string output_;
};

/// Writes what root and the login user see and may, then powers off.
constexpr const char* user_data = R"(#cloud-config
runcmd:
  - [sh, -c, "echo root >/mnt/share/by-root"]
  - [sudo, -u, debian, sh, -c, "echo debian >/mnt/share/by-debian"]
  - poweroff
)";

/// Runs `command` without a terminal and with user-data of a guest that writes; the share belongs
/// to user 1000, as a developer's folder does.
void check_written(const std::string& command, const std::string& by_root,
                   const std::string& by_debian) {
  const TemporaryFolder work;
  REQUIRE(::mkdir((work / "share").c_str(), 0755) == 0);
  REQUIRE(::chown((work / "share").c_str(), 1000, 1000) == 0);
  write_text(work / "user-data", user_data);
  RunningCommand run(work,
                     replaced(replaced(command, " -it", ""), "  -e FILESYSTEM_SOURCE",
                              "  -v \"$PWD/user-data:/user-data:ro\" \\\n"
                              "  -e CLOUD_INIT_USER_DATA=/user-data \\\n"
                              "  -e FILESYSTEM_SOURCE"),
                     false);
  const int status = run.finish();
  INFO(run.output());
  CHECK(status == 0);
  CHECK(run.output().find("[INFO] Filesystem #1: mounted in the guest at /mnt/share") !=
        std::string::npos);
  CHECK(describe_file(work / "share/by-root") == by_root);
  CHECK(describe_file(work / "share/by-debian") == by_debian);
}

/// Runs `command` until its share is mounted, looks at it from outside, and stops it.
void check_on_terminal(const std::string& command) {
  const TemporaryFolder work;
  RunningCommand run(work, command, true);
  const bool mounted = run.wait_for("Filesystem #1: mounted in the guest at /mnt/share");
  INFO(run.output());
  REQUIRE(mounted);
  CHECK(says(run_docker({"exec", "vmfs", "vm-runner", "status", "--format=json"}),
             R"("proof":"mounted")"));
  const auto healthy = run_docker({"exec", "vmfs", "vm-runner", "status", "--healthy"});
  CHECK(healthy.ok);
  CHECK(healthy.output == "healthy\n");
  CHECK(says(run_docker({"logs", "vmfs"}), "[INFO] Filesystem #1: /share -> guest tag 'share'"));
  CHECK(run_docker({"stop", "vmfs"}).ok);
  const int status = run.finish();
  // Under emulation the guest may need more than the 8 s; a kill by Docker would be 137.
  CHECK_MESSAGE((status == 0 || status == 5), status);
  CHECK_FALSE(run_docker({"inspect", "vmfs"}).ok);
}

}  // namespace

TEST_CASE("the commands of the specification on a terminal with health and docker stop") {
  if (!has_docker()) return;
  built_image();
  for (const std::string command : {virtiofs_command, ninep_command}) {
    CAPTURE(command);
    check_on_terminal(command);
  }
}

TEST_CASE("the virtiofs command of the specification without a terminal") {
  if (!has_docker()) return;
  built_image();
  check_written(virtiofs_command, "0:0 0644 'root\n'", "1000:1000 0664 'debian\n'");
}

TEST_CASE("the 9p command of the specification without a terminal") {
  if (!has_docker()) return;
  built_image();
  // The files are those of QEMU's own user.
  check_written(ninep_command, "60914:60914 0644 'root\n' guest-uid=0 guest-gid=0 guest-mode=0644",
                "60914:60914 0644 'debian\n' guest-uid=1000 guest-gid=1000 guest-mode=0664");
}
