// SPDX-License-Identifier: MIT
// What a user reads when a share cannot be: `vm-runner args --format=json`, the real program.
#include "build_paths.hpp"
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;

using Variables = Launcher::Variables;

constexpr int usage = 2;
constexpr int host_cannot = 3;

/// Settings besides the base ones, what is on standard error, and the exit status.
struct Rule {
  Variables settings;
  std::string said;
  int status = usage;
};

/// A host with the folder `share`, and runs of `args --format=json` on it.
class RulesHost {
 public:
  RulesHost() { fs::create_directories(share); }

  [[nodiscard]] Finished args(const Variables& settings,
                              const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"args", "--format=json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Launcher launcher(host.settings(settings), arguments);
    auto finished = host.finish(launcher);
    CHECK(host.starts_of("qemu") == 0);
    CHECK(host.starts_of("virtiofsd-1") == 0);
    return finished;
  }

  void check(const Variables& base, const std::vector<Rule>& rules) const {
    for (const auto& rule : rules) {
      const auto finished = args(join(base, rule.settings));
      CHECK(finished.log == rule.said);
      CHECK(finished.output == "");
      CHECK(finished.status == rule.status);
    }
  }

  const FakeHost host;
  const std::string share = host / "share";
  const Variables ninep = {{"FILESYSTEM_SOURCE", share}, {"FILESYSTEM_DRIVER", "9p"}};
  /// With the one sandbox that works on every machine.
  const Variables virtiofs = {{"FILESYSTEM_SOURCE", share}, {"FILESYSTEM_SANDBOX", "none"}};
};

std::string refusal(const std::string& message, const std::string& origin,
                    const std::string& hint) {
  return fmt::format("error: {}\n  from:  {}\n  hint:  {}\n", message, origin, hint);
}

/// The refusal of a value of share 1 that the environment gave.
Rule refused(const std::string& name, const std::string& value, const std::string& reason,
             const std::string& hint, const Variables& more = {}) {
  const auto variable = "FILESYSTEM_" + name;
  return {join({{variable, value}}, more),
          refusal(fmt::format("{}='{}': {}", variable, value, reason), variable + " (environment)",
                  hint)};
}

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("share rules: a word that is none of a setting's gets the nearest one offered") {
  const RulesHost rules;
  rules.check(rules.ninep,
              {refused("DRIVER", "9P", "Invalid value for attribute 'driver'",
                       "did you mean '9p'? one of: virtiofs, 9p, auto",
                       {{"FILESYSTEM_ACCESSMODE", "mapped"}, {"FILESYSTEM_FMODE", "0600"}}),
               refused("ACCESSMODE", "maped", "Invalid value for attribute 'accessmode'",
                       "did you mean 'mapped'? one of: passthrough, mapped, squash",
                       {{"FILESYSTEM_FMODE", "0600"}}),
               refused("CACHE", "allways", "Invalid value for attribute 'cache'",
                       "did you mean 'always'? one of: auto, none, metadata, always"),
               refused("SANDBOX", "chrot", "Invalid value for attribute 'sandbox'",
                       "did you mean 'chroot'? one of: auto, namespace, chroot, none"),
               refused("MULTIDEVS", "forbit", "Invalid value for attribute 'multidevs'",
                       "did you mean 'forbid'? one of: remap, forbid, warn"),
               refused("WRPOLICY", "immediat", "Invalid value for attribute 'wrpolicy'",
                       "did you mean 'immediate'? one of: immediate"),
               refused("READONLY", "maybe", "neither yes nor no",
                       "one of: 1, true, yes, on, 0, false, no, off")});
}

TEST_CASE("share rules: numbers and modes") {
  const RulesHost rules;
  const std::string power = "queue size must be a power of 2, 1024 or smaller";
  const std::string octal = "permission bits in octal, 0 to 0777";
  rules.check(
      rules.virtiofs,
      {refused("QUEUE_SIZE", "abc", "cannot parse queue size 'abc' for virtiofs", "a whole number"),
       refused("QUEUE_SIZE", "1027", power, "use 1024"),
       refused("QUEUE_SIZE", "2048", power, "use 1024"),
       refused("QUEUE_SIZE", "0", power, "use 1024"),
       refused("QUEUE_SIZE", "4",
               "the guest cannot mount a share with a queue this small (Input/output error)",
               "use 1024, or at least 8"),
       refused("POSIX_ACL", "1",
               "POSIX ACLs are kept in extended attributes, and FILESYSTEM_XATTR='0'",
               "leave FILESYSTEM_XATTR out, or set it to 1", {{"FILESYSTEM_XATTR", "no"}}),
       refused("THREAD_POOL_SIZE", "x", "cannot parse thread pool size 'x' for virtiofs",
               "a whole number")});
  rules.check(join(rules.ninep, {{"FILESYSTEM_ACCESSMODE", "mapped"}}),
              {refused("FMODE", "01777", "invalid fmode: '01777'", octal),
               refused("DMODE", "1000", "invalid dmode: '1000'", octal),
               refused("FMODE", "rw", "Invalid value for attribute 'fmode'", octal),
               refused("DMODE", "0788", "Invalid value for attribute 'dmode'", octal)});
}

TEST_CASE("share rules: options that only the other driver has") {
  const RulesHost rules;
  const std::string modes =
      "set FILESYSTEM_DRIVER=9p for 'mapped' or 'squash', or use "
      "FILESYSTEM_ACCESSMODE=passthrough";
  const std::string passthrough = "virtiofs only supports passthrough accessmode";
  const std::string to_9p = "leave it out, or use FILESYSTEM_DRIVER=9p without FILESYSTEM_SANDBOX";
  rules.check(rules.virtiofs,
              {refused("ACCESSMODE", "mapped", passthrough, modes),
               refused("ACCESSMODE", "squash", passthrough, modes),
               refused("WRPOLICY", "immediate", "virtiofs does not support wrpolicy", to_9p),
               refused("MULTIDEVS", "warn", "virtiofs does not support multidevs", to_9p),
               refused("FMODE", "0600", "virtiofs does not support fmode and dmode", to_9p),
               refused("DMODE", "0700", "virtiofs does not support fmode and dmode", to_9p)});
  const std::string to_virtiofs = "leave it out, or use FILESYSTEM_DRIVER=virtiofs";
  const std::string to_mapped = "set FILESYSTEM_ACCESSMODE=mapped, or leave it out";
  const std::string only = " can only be used with driver=virtiofs";
  const std::string need_mapped = "fmode and dmode must be used with accessmode=mapped";
  rules.check(rules.ninep, {refused("SANDBOX", "chroot", "sandbox" + only, to_virtiofs),
                            refused("QUEUE_SIZE", "512", "queue size" + only, to_virtiofs),
                            refused("THREAD_POOL_SIZE", "4", "thread pool" + only, to_virtiofs),
                            refused("XATTR", "1", "xattr" + only, to_virtiofs),
                            refused("POSIX_ACL", "1", "posix ACL" + only, to_virtiofs),
                            refused("FMODE", "0600", need_mapped, to_mapped),
                            refused("DMODE", "0700", need_mapped, to_mapped)});
}

TEST_CASE("share rules: tags") {
  const RulesHost rules;
  const auto tag = [](const std::string& value, const std::string& shown,
                      const std::string& reason) {
    return Rule{{{"FILESYSTEM_TARGET", value}},
                refusal(fmt::format("FILESYSTEM_TARGET='{}': {}", shown, reason),
                        "FILESYSTEM_TARGET (environment)", "choose another tag")};
  };
  const auto long_9p = times(16, "\xc3\xa2");
  const auto long_virtiofs = times(37, "t");
  const std::string no_folder = "' is not a folder directly below /mnt";
  rules.check(
      rules.ninep,
      {tag(long_9p, long_9p, "the tag is 32 bytes, 9p takes at most 31"),
       tag("a\n\x1b[31m", "a\\n\\x1b[31m", "a tag cannot have control characters"),
       tag("UUID=1-2", "UUID=1-2", "the guest's mount would take it for the label of a disk"),
       tag("a/b", "a/b", "'/mnt/a/b" + no_folder), tag("..", "..", "'/mnt/.." + no_folder)});
  rules.check(rules.virtiofs, {tag(long_virtiofs, long_virtiofs,
                                   "the tag is 37 bytes, virtiofs takes at most 36")});
}

TEST_CASE("share rules: two shares that the guest could not tell apart") {
  const RulesHost rules;
  const auto other = rules.host / "other/share";
  fs::create_directories(other);
  const auto second = [&](const Variables& settings, const std::string& message,
                          const std::string& origin, const std::string& hint) {
    return Rule{
        join({{"FILESYSTEM2_SOURCE", other}, {"FILESYSTEM2_DRIVER", "9p"}}, join({}, settings)),
        refusal(message, origin, hint)};
  };
  const std::string twice = "filesystem target 'share' specified twice (also by filesystem #1)";
  const std::string taken = "'/mnt/share' is already the mount folder of filesystem #1";
  rules.check(
      rules.ninep,
      {second({{"FILESYSTEM2_TARGET", "share"}}, "FILESYSTEM2_TARGET='share': " + twice,
              "FILESYSTEM2_TARGET (environment)", "choose another tag"),
       second({}, "FILESYSTEM2_TARGET='share': " + twice, "FILESYSTEM2_SOURCE (environment)",
              "set FILESYSTEM2_TARGET (by default the source's last component)"),
       second({{"FILESYSTEM2_TARGET", "b"}, {"FILESYSTEM2_MOUNT", "/mnt//share/"}},
              "FILESYSTEM2_MOUNT='/mnt//share/': " + taken, "FILESYSTEM2_MOUNT (environment)",
              "choose another folder or tag"),
       second({{"FILESYSTEM_TARGET", "a"}, {"FILESYSTEM_MOUNT", "/mnt/share"}},
              "FILESYSTEM2_TARGET='share': " + taken, "FILESYSTEM2_SOURCE (environment)",
              "set FILESYSTEM2_TARGET (by default the source's last component)")});
  const std::string spare =
      "use a folder of its own, such as /srv/data, or leave it out for /mnt/share";
  rules.check(
      rules.ninep,
      {refused("MOUNT", "srv", "not an absolute path", spare),
       refused("MOUNT", "/", "the share would hide the whole guest", spare),
       refused("MOUNT", "/a/../b", "a mount folder cannot have '..'", spare),
       refused("MOUNT", "/etc", "the share would hide what the guest itself has there", spare)});
}

TEST_CASE("share rules: sources") {
  const RulesHost rules;
  const auto file = rules.host / "file";
  const auto root = rules.host / "root";
  const auto nowhere = rules.host / "nowhere";
  const auto missing = rules.host / "missing";
  write_text(file, "");
  fs::create_symlink("/", root);
  fs::create_symlink("missing", nowhere);
  const std::string tag = "the whole file system is not shared";
  const std::string create =
      "create it, or correct the path (a missing source is only made for a share that is not "
      "read-only)";
  const std::string cannot = "the directory is missing and cannot be made: ";
  auto below_file =
      refused("SOURCE", file + "/x", cannot + "Not a directory", "correct the path, or create it");
  auto dangling = refused("SOURCE", nowhere, cannot + "it is a symbolic link to what is not there",
                          "correct the path, or create it");
  auto too_long = refused("SOURCE", "/" + times(300, "x"), cannot + "File name too long",
                          "correct the path, or create it", {{"FILESYSTEM_TARGET", "t"}});
  below_file.status = dangling.status = too_long.status = host_cannot;
  const Variables readonly = {{"FILESYSTEM_READONLY", "1"}};
  rules.check(rules.ninep,
              {refused("SOURCE", file, "not a directory", "share the folder that it is in"),
               refused("SOURCE", root, tag, "share a folder below it"),
               refused("SOURCE", "/", tag, "share a folder below it", {{"FILESYSTEM_TARGET", "t"}}),
               refused("SOURCE", missing, "no such directory", create, readonly), below_file,
               dangling, too_long});
  rules.check(
      rules.virtiofs,
      {refused("SOURCE", missing, "the virtiofs export directory '" + missing + "' does not exist",
               create, readonly)});
  rules.check({}, {{{{"FILESYSTEM3_DRIVER", "9p"}},
                    refusal("FILESYSTEM3_SOURCE: missing source information for device",
                            "FILESYSTEM3_DRIVER (environment)",
                            "set FILESYSTEM3_SOURCE to the folder to share")}});
  CHECK_FALSE(fs::exists(missing));
}

TEST_CASE("share rules: what this host cannot do") {
  const RulesHost rules;
  const auto readonly = fmt::format(
      "virtiofs does not yet support read-only mode with this virtiofsd ({} has no "
      "--readonly)",
      FAKE_VIRTIOFSD);
  const auto old =
      refused("READONLY", "1", readonly,
              "mount the source read-only on the host (docker run -v …:ro), or use "
              "virtiofsd 1.13 or later, or use FILESYSTEM_DRIVER=9p without FILESYSTEM_SANDBOX",
              {{"FAKE_VIRTIOFSD", "old"}});
  rules.check(rules.virtiofs, {{old.settings, old.said, host_cannot}});

  const auto no_program = rules.host / "virtiofsd";
  write_text(rules.host / "qemu/vhost-user/10-fake.json",
             fmt::format(R"({{"type": "fs", "binary": "{}"}})", no_program));
  const auto reason = fmt::format("virtiofsd binary '{}' is not executable", no_program);
  const std::string install =
      "install virtiofsd (Debian 13: virtiofsd, Debian 12: qemu-system-common)";
  rules.check(rules.virtiofs,
              {{{},
                refusal("FILESYSTEM_DRIVER='virtiofs': " + reason, "FILESYSTEM_DRIVER (default)",
                        install + ", or use FILESYSTEM_DRIVER=9p without FILESYSTEM_SANDBOX"),
                host_cannot},
               {{{"FILESYSTEM_DRIVER", "auto"}},
                refusal("FILESYSTEM_DRIVER='auto': " + reason +
                            "; FILESYSTEM_SANDBOX: sandbox can only be used with driver=virtiofs",
                        "FILESYSTEM_DRIVER (environment)",
                        install + ", or leave FILESYSTEM_SANDBOX out: 9p is used then"),
                host_cannot}});
}

TEST_CASE("share rules: variables that are misspelt") {
  const RulesHost rules;
  const auto unknown = [](const std::string& variable, const std::string& hint) {
    return Rule{{{variable, "x"}},
                refusal(variable + ": unknown variable", variable + " (environment)", hint)};
  };
  rules.check(rules.ninep, {unknown("FILESYSTEM_ACESSMODE", "did you mean FILESYSTEM_ACCESSMODE?"),
                            unknown("FILESYSTEM1_SOURCE", "did you mean FILESYSTEM_SOURCE?"),
                            unknown("FILESYSTEM2SOURCE", "did you mean FILESYSTEM2_SOURCE?"),
                            unknown("FILESYSTEMS",
                                    "shares are FILESYSTEM_…, FILESYSTEM2_… to FILESYSTEM999_…; "
                                    "vm-runner --help lists every setting")});
}

TEST_CASE("share rules: what is not about one share") {
  const RulesHost rules;
  const std::string private_memory =
      R"(-object '{"qom-type":"memory-backend-ram","id":"m","size":67108864}' )"
      "-machine memory-backend=m";
  rules.check(rules.virtiofs,
              {{{{"EXTRA_ARGS", private_memory}},
                refusal("EXTRA_ARGS: 'virtiofs' requires shared memory, and the memory backend 'm' "
                        "is not shared",
                        "EXTRA_ARGS (environment)",
                        "share it (share=on) in its -object, or leave memory-backend out")}});
  Variables many;
  for (int i = 1; i <= 121; ++i) {
    many = join(many, share(i, {{"SOURCE", rules.host / fmt::format("s{}", i)}, {"DRIVER", "9p"}}));
  }
  rules.check(
      {},
      {{many, refusal("FILESYSTEM121_SOURCE: there are 121 shares, and a VM takes at most "
                      "120",
                      "FILESYSTEM121_SOURCE (environment)",
                      "share a folder that several of them are in")},
       {{{"GUEST_PASSWORD", times(512, "p")}},
        refusal("GUEST_PASSWORD: longer than 511 bytes", "GUEST_PASSWORD (environment)",
                "choose a shorter one")},
       {{{"CPUS", "256"}},
        refusal("CPUS='256': above 255", "CPUS (environment)", "a whole number from 1 to 255")}});
}

TEST_CASE("share rules: every problem of every source is told at once") {
  const RulesHost rules;
  const auto file = rules.host / "vm.toml";
  write_text(file, "memory = \"64\"\n[[share]]\nsource = \"" + rules.share +
                       "\"\naccessmode = \"squash\"\nsandbox = \"none\"\n\n[[share]]\n"
                       "target = \"data\"\ndriver = \"9p\"\ncolour = \"red\"\n");
  const auto finished = rules.args({{"FILESYSTEM_WRPOLICY", "immediate"}, {"CLOUD_INITT", "1"}},
                                   {"--set", "filesystem_queue_size=3", file});
  CHECK(
      lines_of(finished.log) ==
      lines_of(
          refusal("colour: unknown setting", "colour (" + file + ":10)",
                  "vm-runner --help lists every setting") +
          refusal("CLOUD_INITT: unknown variable", "CLOUD_INITT (environment)",
                  "did you mean CLOUD_INIT?") +
          refusal("FILESYSTEM_ACCESSMODE='squash': virtiofs only supports passthrough accessmode",
                  "accessmode (" + file + ":4)",
                  "set FILESYSTEM_DRIVER=9p for 'mapped' or 'squash', or use "
                  "FILESYSTEM_ACCESSMODE=passthrough") +
          refusal("FILESYSTEM_WRPOLICY='immediate': virtiofs does not support wrpolicy",
                  "FILESYSTEM_WRPOLICY (environment)",
                  "leave it out, or use FILESYSTEM_DRIVER=9p without FILESYSTEM_SANDBOX, "
                  "FILESYSTEM_QUEUE_SIZE") +
          refusal("FILESYSTEM_QUEUE_SIZE='3': queue size must be a power of 2, 1024 or smaller",
                  "FILESYSTEM_QUEUE_SIZE (--set filesystem_queue_size=3)", "use 1024") +
          refusal("FILESYSTEM2_SOURCE: missing source information for device",
                  "[[share]] (" + file + ":7)", "set FILESYSTEM2_SOURCE to the folder to share")));
  CHECK(finished.output == "");
  CHECK(finished.status == usage);
}
