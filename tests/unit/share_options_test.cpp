// SPDX-License-Identifier: MIT
#include "spec/shares.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

/// What is said about a share of /share with these settings besides.
struct Rule {
  Strings settings;
  Problem problem;
};

void check_rules(const std::vector<Rule>& rules, const Host& host) {
  for (const auto& rule : rules) {
    Strings environment = {"FILESYSTEM_SOURCE=/share"};
    environment.insert(environment.end(), rule.settings.begin(), rule.settings.end());
    CHECK(judge(environment, host) == Verdict{{rule.problem}, {}});
  }
}

TEST_CASE("what virtiofs does not have") {
  const std::string hint = "leave it out, or use FILESYSTEM_DRIVER=9p";
  const std::string modes =
      "set FILESYSTEM_DRIVER=9p for 'mapped' or 'squash', or use "
      "FILESYSTEM_ACCESSMODE=passthrough";
  check_rules({{{"FILESYSTEM_ACCESSMODE=mapped"},
                {"FILESYSTEM_ACCESSMODE='mapped': virtiofs only supports passthrough accessmode",
                 "FILESYSTEM_ACCESSMODE (environment)", modes}},
               {{"FILESYSTEM_ACCESSMODE=squash"},
                {"FILESYSTEM_ACCESSMODE='squash': virtiofs only supports passthrough accessmode",
                 "FILESYSTEM_ACCESSMODE (environment)", modes}},
               {{"FILESYSTEM_WRPOLICY=immediate"},
                {"FILESYSTEM_WRPOLICY='immediate': virtiofs does not support wrpolicy",
                 "FILESYSTEM_WRPOLICY (environment)", hint}},
               {{"FILESYSTEM_MULTIDEVS=remap"},
                {"FILESYSTEM_MULTIDEVS='remap': virtiofs does not support multidevs",
                 "FILESYSTEM_MULTIDEVS (environment)", hint}},
               {{"FILESYSTEM_FMODE=0600"},
                {"FILESYSTEM_FMODE='0600': virtiofs does not support fmode and dmode",
                 "FILESYSTEM_FMODE (environment)", hint}},
               {{"FILESYSTEM_DMODE=0700"},
                {"FILESYSTEM_DMODE='0700': virtiofs does not support fmode and dmode",
                 "FILESYSTEM_DMODE (environment)", hint}}},
              docker_host());
}

TEST_CASE("what 9p does not have") {
  const std::string hint = "leave it out, or use FILESYSTEM_DRIVER=virtiofs";
  const std::string mapped = "set FILESYSTEM_ACCESSMODE=mapped, or leave it out";
  const std::string ninep = "FILESYSTEM_DRIVER=9p";
  const std::string words = "fmode and dmode must be used with accessmode=mapped";
  check_rules(
      {{{ninep, "FILESYSTEM_SANDBOX=chroot"},
        {"FILESYSTEM_SANDBOX='chroot': sandbox can only be used with driver=virtiofs",
         "FILESYSTEM_SANDBOX (environment)", hint}},
       {{ninep, "FILESYSTEM_QUEUE_SIZE=512"},
        {"FILESYSTEM_QUEUE_SIZE='512': queue size can only be used with driver=virtiofs",
         "FILESYSTEM_QUEUE_SIZE (environment)", hint}},
       {{ninep, "FILESYSTEM_THREAD_POOL_SIZE=1"},
        {"FILESYSTEM_THREAD_POOL_SIZE='1': thread pool can only be used with driver=virtiofs",
         "FILESYSTEM_THREAD_POOL_SIZE (environment)", hint}},
       {{ninep, "FILESYSTEM_XATTR=1"},
        {"FILESYSTEM_XATTR='1': xattr can only be used with driver=virtiofs",
         "FILESYSTEM_XATTR (environment)", hint}},
       {{ninep, "FILESYSTEM_POSIX_ACL=1"},
        {"FILESYSTEM_POSIX_ACL='1': posix ACL can only be used with driver=virtiofs",
         "FILESYSTEM_POSIX_ACL (environment)", hint}},
       {{ninep, "FILESYSTEM_FMODE=0600"},
        {"FILESYSTEM_FMODE='0600': " + words, "FILESYSTEM_FMODE (environment)", mapped}},
       {{ninep, "FILESYSTEM_ACCESSMODE=squash", "FILESYSTEM_DMODE=0700"},
        {"FILESYSTEM_DMODE='0700': " + words, "FILESYSTEM_DMODE (environment)", mapped}}},
      docker_host());
}

TEST_CASE("queue sizes that QEMU would refuse after the start") {
  for (const std::string size : {"0", "3", "1027", "2048", "18446744073709551615"}) {
    check_rules(
        {{{"FILESYSTEM_QUEUE_SIZE=" + size},
          {"FILESYSTEM_QUEUE_SIZE='" + size + "': queue size must be a power of 2, 1024 or smaller",
           "FILESYSTEM_QUEUE_SIZE (environment)", "use 1024"}}},
        docker_host());
  }
  for (const std::string size : {"1", "2", "4"}) {
    check_rules(
        {{{"FILESYSTEM_QUEUE_SIZE=" + size},
          {"FILESYSTEM_QUEUE_SIZE='" + size +
               "': the guest cannot mount a share with a queue this small (Input/output error)",
           "FILESYSTEM_QUEUE_SIZE (environment)", "use 1024, or at least 8"}}},
        docker_host());
  }
  for (const std::string size : {"8", "16", "128", "1024"}) {
    CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_QUEUE_SIZE=" + size}, docker_host()) ==
          Verdict{});
  }
}

TEST_CASE("a share that is 9p has no more wrong with its queue than having one") {
  check_rules({{{"FILESYSTEM_DRIVER=9p", "FILESYSTEM_QUEUE_SIZE=4"},
                {"FILESYSTEM_QUEUE_SIZE='4': queue size can only be used with driver=virtiofs",
                 "FILESYSTEM_QUEUE_SIZE (environment)",
                 "leave it out, or use FILESYSTEM_DRIVER=virtiofs"}}},
              docker_host());
}

TEST_CASE("POSIX ACLs without extended attributes") {
  check_rules(
      {{{"FILESYSTEM_POSIX_ACL=1", "FILESYSTEM_XATTR=0"},
        {"FILESYSTEM_POSIX_ACL='1': POSIX ACLs are kept in extended attributes, and "
         "FILESYSTEM_XATTR='0'",
         "FILESYSTEM_POSIX_ACL (environment)", "leave FILESYSTEM_XATTR out, or set it to 1"}}},
      docker_host());
  for (const Strings& settings : {Strings{"FILESYSTEM_POSIX_ACL=1"},
                                  {"FILESYSTEM_POSIX_ACL=1", "FILESYSTEM_XATTR=1"},
                                  {"FILESYSTEM_POSIX_ACL=0", "FILESYSTEM_XATTR=0"}}) {
    Strings environment = {"FILESYSTEM_SOURCE=/share"};
    environment.insert(environment.end(), settings.begin(), settings.end());
    CHECK(judge(environment, docker_host()) == Verdict{});
  }
}

TEST_CASE("a wrong word is the only problem") {
  struct Row {
    Strings settings;  // the first one is wrong
    std::string reason;
    std::string hint;
  };
  const std::string driver = "Invalid value for attribute 'driver'";
  const std::string drivers = "one of: virtiofs, 9p, auto";
  const std::string mode = "Invalid value for attribute 'accessmode'";
  const std::string modes = "did you mean 'mapped'? one of: passthrough, mapped, squash";
  const std::string private_memory =
      "EXTRA_ARGS=-object memory-backend-ram,id=m -machine memory-backend=m";
  const std::vector<Row> rows = {
      {{"FILESYSTEM_DRIVER=9pp", "FILESYSTEM_ACCESSMODE=mapped", "FILESYSTEM_FMODE=0600"},
       driver,
       "did you mean '9p'? " + drivers},
      {{"FILESYSTEM_DRIVER=x", "FILESYSTEM_SANDBOX=chroot", "FILESYSTEM_XATTR=1"}, driver, drivers},
      {{"FILESYSTEM_DRIVER=x", "FILESYSTEM_SANDBOX=namespace", private_memory}, driver, drivers},
      {{"FILESYSTEM_ACCESSMODE=maped", "FILESYSTEM_DRIVER=9p", "FILESYSTEM_FMODE=0600"},
       mode,
       modes},
      {{"FILESYSTEM_ACCESSMODE=maped", "FILESYSTEM_DRIVER=auto", "FILESYSTEM_FMODE=0600"},
       mode,
       modes},
      {{"FILESYSTEM_ACCESSMODE=maped", "FILESYSTEM_DRIVER=auto", "FILESYSTEM_THREAD_POOL_SIZE=4"},
       mode,
       modes},
      {{"FILESYSTEM_MULTIDEVS=x", "FILESYSTEM_DRIVER=auto", "FILESYSTEM_THREAD_POOL_SIZE=4"},
       "Invalid value for attribute 'multidevs'",
       "one of: remap, forbid, warn"}};
  for (const auto& row : rows) {
    const auto& wrong = row.settings.front();
    const auto variable = wrong.substr(0, wrong.find('='));
    const auto value = wrong.substr(wrong.find('=') + 1);
    check_rules(
        {{row.settings,
          {variable + "='" + value + "': " + row.reason, variable + " (environment)", row.hint}}},
        docker_host());
  }
}

TEST_CASE("a wrong word does not hide what is wrong without it") {
  CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_DRIVER=x", "FILESYSTEM_QUEUE_SIZE=3",
               "FILESYSTEM_TARGET=1234567890123456789012345678901234567"},
              docker_host()) ==
        Verdict{{{"FILESYSTEM_DRIVER='x': Invalid value for attribute 'driver'",
                  "FILESYSTEM_DRIVER (environment)", "one of: virtiofs, 9p, auto"},
                 {"FILESYSTEM_TARGET='1234567890123456789012345678901234567': the tag is 37 bytes, "
                  "virtiofs takes at most 36",
                  "FILESYSTEM_TARGET (environment)", "choose another tag"},
                 {"FILESYSTEM_QUEUE_SIZE='3': queue size must be a power of 2, 1024 or smaller",
                  "FILESYSTEM_QUEUE_SIZE (environment)", "use 1024"}},
                {}});
}

TEST_CASE("a value of another type in a file is the only problem") {
  const Strings wrong = {"target = [1]", "source = [1]", "driver = ['9p']\naccessmode = 'mapped'",
                         "mount = 2020-01-01"};
  for (const auto& lines : wrong) {
    const auto source = lines.starts_with("source") ? "" : "source = '/share'\n";
    CAPTURE(lines);
    const auto verdict = judge({"FILESYSTEM2_SOURCE=/2/share", "FILESYSTEM2_TARGET=t"},
                               docker_host(), std::string("[[share]]\n") + source + lines + "\n");
    REQUIRE(verdict.problems.size() == 1);
    CHECK(verdict.problems[0].message.find("not a value of a setting") != std::string::npos);
  }
}

TEST_CASE("more threads than a share has requests") {
  const auto judge_threads = [](const std::string& count) {
    return judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_THREAD_POOL_SIZE=" + count},
                 debian_12_host());
  };
  CHECK(judge_threads("1024") == Verdict{});
  for (const std::string count : {"1025", "18446744073709551615"}) {
    CHECK(judge_threads(count) ==
          Verdict{{{"FILESYSTEM_THREAD_POOL_SIZE='" + count +
                        "': thread pool size must be 1024 or smaller",
                    "FILESYSTEM_THREAD_POOL_SIZE (environment)",
                    "a share has no more requests in flight: use fewer threads"}},
                  {}});
  }
}

TEST_CASE("words numbers and modes are refused in the words of libvirt") {
  const std::string octal = "permission bits in octal, 0 to 0777";
  const auto rule = [](const std::string& name, const std::string& value, const std::string& words,
                       const std::string& hint) {
    const auto variable = "FILESYSTEM_" + name;
    return Rule{{variable + "=" + value},
                {variable + "='" + value + "': " + words, variable + " (environment)", hint}};
  };
  check_rules(
      {rule("DRIVER", "nfs", "Invalid value for attribute 'driver'", "one of: virtiofs, 9p, auto"),
       rule("ACCESSMODE", "maped", "Invalid value for attribute 'accessmode'",
            "did you mean 'mapped'? one of: passthrough, mapped, squash"),
       rule("MULTIDEVS", "x", "Invalid value for attribute 'multidevs'",
            "one of: remap, forbid, warn"),
       rule("WRPOLICY", "x", "Invalid value for attribute 'wrpolicy'", "one of: immediate"),
       rule("CACHE", "x", "Invalid value for attribute 'cache'",
            "one of: auto, none, metadata, always"),
       rule("SANDBOX", "x", "Invalid value for attribute 'sandbox'",
            "one of: auto, namespace, chroot, none"),
       rule("FMODE", "01777", "invalid fmode: '01777'", octal),
       rule("DMODE", "1000", "invalid dmode: '1000'", octal),
       rule("FMODE", "rw", "Invalid value for attribute 'fmode'", octal),
       rule("DMODE", "0788", "Invalid value for attribute 'dmode'", octal),
       rule("QUEUE_SIZE", "abc", "cannot parse queue size 'abc' for virtiofs", "a whole number"),
       rule("THREAD_POOL_SIZE", "x", "cannot parse thread pool size 'x' for virtiofs",
            "a whole number")},
      docker_host());
}

}  // namespace
}  // namespace vmr::test
