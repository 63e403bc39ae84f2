// SPDX-License-Identifier: MIT
#include "spec/share_owner.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

constexpr auto unsupported = ExitStatus::host_unsupported;

Strings with(const Strings& settings) {
  Strings environment = {"FILESYSTEM_SOURCE=/share"};
  environment.insert(environment.end(), settings.begin(), settings.end());
  return environment;
}

/// A host whose /share has this owner and mode.
Host host_with(Host host, const Owner& owner, std::uint32_t mode) {
  host.files["/share"].owner = owner;
  host.files["/share"].mode = mode;
  return host;
}

TEST_CASE("an owner is two numbers") {
  CHECK(parse_owner("1000:100") == Parsed<Owner>(Owner{1000, 100}));
  CHECK(parse_owner("0:4294967294") == Parsed<Owner>(Owner{0, 4294967294}));
  const Parsed<Owner> invalid = Invalid{"not an owner", "uid:gid in numbers, such as 1000:1000"};
  for (const auto* text : {"", ":", "1000", "1000:", ":1000", "me:me", "-1:0", "0:4294967295",
                           "1000:1000:1000", " 1000:1000", "1000:1000\n", "0x10:1", "1.0:1"}) {
    CAPTURE(text);
    CHECK(parse_owner(text) == invalid);
  }
}

TEST_CASE("the guest acts as an owner and its login user has that owner's files") {
  const auto share =
      spec_of(with({"FILESYSTEM_OWNER=501:20"}), host_with(docker_host(), {501, 20}, 0755))
          .shares.at(0);
  CHECK(share.owner == Owner{501, 20});
  CHECK(share.guest_owner == Owner{1000, 1000});
  CHECK(login_owner("root") == Owner{0, 0});
  CHECK(login_owner("debian") == Owner{1000, 1000});
  CHECK(login_owner("") == Owner{1000, 1000});
}

TEST_CASE("an owner needs a virtiofsd that translates") {
  const std::string origin = "FILESYSTEM_OWNER (environment)";
  CHECK(judge(with({"FILESYSTEM_OWNER=1000:1000"}), debian_12_host()) ==
        Verdict{{{"FILESYSTEM_OWNER='1000:1000': this virtiofsd cannot translate owners "
                  "(/usr/lib/qemu/virtiofsd has no --translate-uid)",
                  origin,
                  "use virtiofsd 1.13 or later, written in Rust (Debian 13), or "
                  "FILESYSTEM_DRIVER=9p with FILESYSTEM_ACCESSMODE=mapped",
                  unsupported}},
                {}});
  CHECK(judge(with({"FILESYSTEM_OWNER=1000:1000", "FILESYSTEM_DRIVER=9p"}), docker_host()) ==
        Verdict{{{"FILESYSTEM_OWNER='1000:1000': owner can only be used with driver=virtiofs",
                  origin, "leave it out, or use FILESYSTEM_DRIVER=virtiofs"}},
                {}});
  CHECK(judge(with({"FILESYSTEM_OWNER=1000:1000", "FILESYSTEM_POSIX_ACL=1"}), docker_host()) ==
        Verdict{{{"FILESYSTEM_OWNER='1000:1000': owners cannot be translated in POSIX ACLs", origin,
                  "leave it or FILESYSTEM_POSIX_ACL out"}},
                {}});
  CHECK(judge(with({"FILESYSTEM_OWNER=me"}), docker_host()) ==
        Verdict{{{"FILESYSTEM_OWNER='me': not an owner", origin,
                  "uid:gid in numbers, such as 1000:1000"}},
                {}});
}

TEST_CASE("a virtiofsd that is not root acts for itself only") {
  CHECK(judge(with({"FILESYSTEM_OWNER=1000:1000"}), ordinary_user()) == Verdict{});
  CHECK(judge(with({"FILESYSTEM_OWNER=0:0"}), ordinary_user()) ==
        Verdict{{{"FILESYSTEM_OWNER='0:0': virtiofsd runs as 1000:1000 here and can act for nobody "
                  "else",
                  "FILESYSTEM_OWNER (environment)",
                  "use FILESYSTEM_OWNER=1000:1000, or run as root", unsupported}},
                {}});
}

TEST_CASE("a share that the guest's user cannot write is told before it is tried") {
  const std::string who = "Filesystem #1: the guest's user 1000 cannot write there: ";
  const std::string adjust = "; adjust its owner or mode on the host";
  const std::string mapped = ", or use FILESYSTEM_DRIVER=9p with FILESYSTEM_ACCESSMODE=mapped";
  const auto owner = [](const std::string& value) {
    return "; set FILESYSTEM_OWNER=" + value + ", or adjust its owner or mode on the host";
  };
  const auto warnings = [](const Strings& settings, const Host& host) {
    const auto verdict = judge(with(settings), host);
    CHECK(verdict.problems.empty());
    return verdict.warnings;
  };
  const auto roots = host_with(docker_host(), {0, 0}, 0755);
  const Strings roots_warning = {who + "/share belongs to 0:0 with mode 0755" + adjust + mapped};
  CHECK(warnings({}, roots) ==
        Strings{who + "/share belongs to 0:0 with mode 0755" + owner("0:0") + mapped});
  CHECK(warnings({"FILESYSTEM_DRIVER=9p"}, roots) == roots_warning);
  CHECK(warnings({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=squash"}, roots) == roots_warning);
  CHECK(warnings({}, host_with(docker_host(), {501, 20}, 0755)) ==
        Strings{who + "/share belongs to 501:20 with mode 0755" + owner("501:20") + mapped});
  // Its owner could not write either.
  CHECK(warnings({}, host_with(docker_host(), {501, 20}, 0555)) ==
        Strings{who + "/share belongs to 501:20 with mode 0555" + adjust + mapped});
  CHECK(warnings({}, host_with(debian_12_host(), {501, 20}, 0750)) ==
        Strings{who + "/share belongs to 501:20 with mode 0750" + adjust + mapped});
  CHECK(warnings({"FILESYSTEM_OWNER=501:20"}, roots) ==
        Strings{
            "Filesystem #1: FILESYSTEM_OWNER=501:20 cannot write there: /share belongs to 0:0 with "
            "mode 0755" +
            owner("0:0") + mapped});
  CHECK(judge({"FILESYSTEM_SOURCE=/new"}, docker_host()).warnings ==
        Strings{who + "/new belongs to 0:0 with mode 0755" + owner("0:0") + mapped});
}

TEST_CASE("a user other than root makes files for itself only") {
  auto host = ordinary_user();
  host.uid = host.gid = 1001;
  host.files["/share"].mode = 0777;
  const std::string who = "Filesystem #1: the guest's user 1000 cannot write there: ";
  const std::string mapped = "use FILESYSTEM_DRIVER=9p with FILESYSTEM_ACCESSMODE=mapped";
  CHECK(judge(with({}), host) ==
        Verdict{{},
                {who +
                 "virtiofsd runs as user 1001 and can act for nobody else; set "
                 "FILESYSTEM_OWNER=1001:1001, or " +
                 mapped}});
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p"}), host) ==
        Verdict{{}, {who + "QEMU runs as user 1001 and can act for nobody else; " + mapped}});
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=squash"}), host) == Verdict{});
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped"}), host) == Verdict{});
  CHECK(judge(with({"FILESYSTEM_OWNER=1001:1001"}), host) == Verdict{});
  // The guest's root makes files of that user.
  host.guest->login_user = "root";
  host.files["/share"].owner = {1001, 1001};
  host.files["/share"].mode = 0755;
  CHECK(judge(with({}), host) == Verdict{});
}

TEST_CASE("a QEMU that is not root maps owners only where it may write itself") {
  auto host = ordinary_user();
  host.files["/share"].owner = {0, 0};
  const std::string fix =
      "/share belongs to 0:0 with mode 0755; adjust its owner or mode on the host";
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped"}), host) ==
        Verdict{{}, {"Filesystem #1: QEMU, as user 1000, cannot write there: " + fix}});
  CHECK(judge(with({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=squash"}), host) ==
        Verdict{{}, {"Filesystem #1: the guest's user 1000 cannot write there: " + fix}});
}

TEST_CASE("a share that the guest's user can write needs no word") {
  const auto silent = [](const Strings& settings, const Host& host) {
    return judge(with(settings), host) == Verdict{};
  };
  const auto roots = host_with(docker_host(), {0, 0}, 0755);
  CHECK(silent({"FILESYSTEM_READONLY=1"}, roots));
  CHECK(silent({"FILESYSTEM_POSIX_ACL=1"}, roots));
  CHECK(silent({"FILESYSTEM_DRIVER=9p", "FILESYSTEM_ACCESSMODE=mapped"}, roots));
  CHECK(silent({"FILESYSTEM_OWNER=0:0"}, roots));
  CHECK(silent({}, host_with(docker_host(), {0, 0}, 01777)));
  CHECK(silent({}, host_with(docker_host(), {0, 1000}, 0770)));
  CHECK(silent({}, host_with(docker_host(), {1000, 0}, 0700)));
  CHECK(silent({"FILESYSTEM_OWNER=501:20"}, host_with(docker_host(), {501, 0}, 0700)));
  auto root_logs_in = roots;
  root_logs_in.guest->login_user = "root";
  CHECK(silent({}, root_logs_in));
}

TEST_CASE("the class of a user decides alone") {
  const auto warned = [](const Owner& owner, std::uint32_t mode) {
    return judge(with({}), host_with(docker_host(), owner, mode)).warnings.size() == 1;
  };
  CHECK(warned({1000, 1000}, 0577));  // the owner may not, though everybody else may
  CHECK(warned({0, 1000}, 0757));
  CHECK(warned({0, 0}, 0776));  // not searchable
}

}  // namespace
}  // namespace vmr::test
