// SPDX-License-Identifier: MIT
#include "commands/security_table.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <linux/capability.h>

namespace vmr::test {
namespace {

using Names = std::vector<std::string>;

const std::vector<ProcessSecurity> processes = {
    {"launcher", 1, 0, capability_set({CAP_KILL, CAP_CHOWN}), 2, true, Names{}, Names{}},
    {"virtiofsd-1 child", 4194304, 65516, 0, 0, false, Names{"mnt", "pid"},
     Names{"files", "truncate", "tcp", "ioctl", "scope"}}};

TEST_CASE("what processes may do is a table") {
  CHECK(security_table(processes) ==
        "PROCESS                PID    UID SECCOMP  NO_NEW_PRIVS  NAMESPACES     "
        "LANDLOCK                       CAPABILITIES\n"
        "launcher                 1      0 filter   yes           -              "
        "-                              CHOWN KILL\n"
        "virtiofsd-1 child  4194304  65516 none     no            mnt pid        "
        "files truncate tcp ioctl scope -\n");
}

TEST_CASE("what processes may do is JSON") {
  CHECK(boost::json::serialize(security_json(processes)) ==
        R"([{"name":"launcher","pid":1,"uid":0,"capabilities":["CHOWN","KILL"],)"
        R"("seccomp":"filter","no_new_privs":true,"namespaces":[],"landlock":[]},)"
        R"({"name":"virtiofsd-1 child","pid":4194304,"uid":65516,"capabilities":[],)"
        R"("seccomp":"none","no_new_privs":false,"namespaces":["mnt","pid"],)"
        R"("landlock":["files","truncate","tcp","ioctl","scope"]}])");
}

TEST_CASE("what a process may do is a line") {
  CHECK(
      describe(processes.at(0)) ==
      "uid 0, capabilities CHOWN KILL, seccomp filter, no_new_privs, no namespaces of its own, no "
      "Landlock");
  CHECK(describe(processes.at(1)) ==
        "uid 65516, no capabilities, seccomp none, may gain privileges, own namespaces mnt pid, "
        "Landlock files truncate tcp ioctl scope");
}

TEST_CASE("what cannot be seen is not taken for none") {
  auto hidden = processes;
  hidden.resize(1);
  hidden.front().namespaces.reset();
  hidden.front().landlock.reset();
  CHECK(security_table(hidden).find(
            "filter   yes           ?              ?                              CHOWN KILL") !=
        std::string::npos);
  CHECK(security_json(hidden).front().as_object().at("namespaces").is_null());
  CHECK(security_json(hidden).front().as_object().at("landlock").is_null());
  CHECK(describe(hidden.front())
            .ends_with("no_new_privs, namespaces that cannot be seen from here, "
                       "Landlock unknown"));
}

}  // namespace
}  // namespace vmr::test
