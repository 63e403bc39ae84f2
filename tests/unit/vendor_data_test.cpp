// SPDX-License-Identifier: MIT
// When cloud-init runs our vendor-data; each row was tried with cloud-init's own code.
#include "spec/vendor_data.hpp"

#include "spec/user_data.hpp"
#include "support/gzip.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace vmr::test {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

void check(const Rows& rows) {
  for (const auto& [user_data, setting] : rows) {
    CAPTURE(user_data);
    CHECK(judge_user_data(user_data).against_mounts == setting);
  }
}

/// The same as parts of a cloud-config.
void check_configs(const Rows& rows) {
  for (const auto& [config, setting] : rows) check({{"#cloud-config\n" + config + "\n", setting}});
}

const std::string off = "vendor_data: {enabled: false}";

TEST_CASE("enabled counts when it is true, 1, on or yes") {
  check_configs({{"", ""},
                 {"vendor_data: {enabled: false}", off},
                 {"vendor_data: {enabled: no}", off},
                 {"vendor_data:\n  'enabled': Off", off},
                 {"{\"vendor_data\": {\"enabled\": false}}", off},
                 {"vendor_data: {enabled: true}", ""},
                 {"vendor_data: {enabled: 0x1}", ""},
                 {"vendor_data: {enabled: \" ON \"}", ""},
                 {"vendor_data: {prefix: x}", ""},
                 {"vendor_data: {}", ""},
                 {"vendor_data: {enabled: }", "vendor_data: {enabled: null}"},
                 {"vendor_data: {enabled: 2}", "vendor_data: {enabled: 2}"},
                 {"vendor_data: {enabled: y}", "vendor_data: {enabled: \"y\"}"},
                 {"vendor_data: {enabled: [1]}", "vendor_data: {enabled: […]}"},
                 {"vendor_data: {enabled: {a: 1}}", "vendor_data: {enabled: {…}}"},
                 {"vendor_data: {enabled: \"a\\nb\"}", "vendor_data: {enabled: …}"},
                 {"vendor_data2: {enabled: false}", ""}});
}

TEST_CASE("vendor_data that is no map") {
  check_configs({{"vendor_data: false", "vendor_data: false"},
                 {"vendor_data: true", "vendor_data: true"},
                 {"vendor_data:", "vendor_data: null"},
                 {"vendor_data: 1", "vendor_data: 1"},
                 {"vendor_data: disabled", "vendor_data: \"disabled\""},
                 {"vendor_data: []", "vendor_data: []"}});
}

TEST_CASE("disabled_handlers that name the boothook") {
  const std::string handlers = "vendor_data: {disabled_handlers: [text/cloud-boothook]}";
  check_configs({{"vendor_data: {disabled_handlers: [text/cloud-boothook]}", handlers},
                 {"vendor_data: {disabled_handlers: \"text/cloud-boothook, x\"}", handlers},
                 {"vendor_data: {disabled_handlers: {text/cloud-boothook: 1}}", handlers},
                 {"vendor_data: {disabled_handlers: 3}", handlers},
                 {"vendor_data: {disabled_handlers: [text/x-shellscript]}", ""},
                 {"vendor_data: {disabled_handlers: []}", ""},
                 {"vendor_data: {disabled_handlers: }", ""}});
}

TEST_CASE("doubled keys and merges are read as PyYAML reads them") {
  check_configs(
      {{"vendor_data: {enabled: true}\nvendor_data: {enabled: false}", off},
       {"vendor_data: {enabled: false}\nvendor_data: {enabled: true}", ""},
       {"vendor_data: {enabled: true, enabled: false}", off},
       {"a: &a {enabled: false}\nvendor_data: {<<: *a}", off},
       {"a: &a {enabled: false}\nvendor_data: {<<: *a, enabled: true}", ""},
       {"a: &a {enabled: false}\nb: &b {enabled: true}\nvendor_data: {<<: [*a, *b]}", off},
       {"a: &a {vendor_data: {enabled: false}}\n<<: *a", off},
       {"a: &a false\nvendor_data: *a", "vendor_data: false"}});
}

TEST_CASE("what cloud-init does not read turns nothing off") {
  check_configs({{"a: 1\n---\nvendor_data: {enabled: false}", ""},
                 {"a: !foo 1\nvendor_data: {enabled: false}", ""},
                 {"vendor_data: {enabled: false}\nb: [", ""}});
  check({{"vendor_data: {enabled: false}\n", ""},
         {"#!/bin/sh\nvendor_data: {enabled: false}\n", ""},
         {std::string("#cloud-config\n\0\xff", 16), ""}});
}

TEST_CASE("parts are merged as cloud-init does it") {
  const std::string message = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n";
  const std::string part = "--x\nContent-Type: text/cloud-config\n";
  const std::string on_part = part + "\nvendor_data: {enabled: true}\n";
  const std::string off_part = part + "\nvendor_data: {enabled: false}\n";
  check(
      {{message + on_part + off_part, off},
       {message + off_part + on_part, ""},
       {message + off_part + part + "\nvendor_data: {prefix: x}\n", ""},
       {message + off_part + part + "Merge-Type: dict(recurse_dict)\n\nvendor_data: {prefix: x}\n",
        off},
       {message + on_part + part +
            "\nmerge_how: [{name: dict, settings: [no_replace]}]\nvendor_data: {enabled: false}\n",
        ""},
       {message + on_part + part + "\nmerge_how: list()\nvendor_data: {enabled: false}\n", ""},
       {message + on_part + part + "\nmerge_how: wrong\nvendor_data: {enabled: false}\n", ""},
       {message + part + "\nmerge_how: dict(no_replace)+list()\nvendor_data: {enabled: false}\n",
        off}});
}

TEST_CASE("vendor-data is turned off within gzip, archives, JSON patches and templates") {
  const std::string config = "#cloud-config\nvendor_data: {enabled: false}\n";
  check({{gzip(config), off},
         {"#cloud-config-archive\n- 'vendor_data: {enabled: false}'\n- '#!/bin/sh'\n", off},
         {gzip("#cloud-config-archive\n- 'vendor_data: {enabled: false}'\n"), off},
         {"#cloud-config-jsonp\n[{\"op\": \"add\", \"path\": \"/vendor_data\", \"value\": "
          "{\"enabled\": false}}]\n",
          off},
         {"#cloud-config-jsonp\n[{\"op\": \"remove\", \"path\": \"/vendor_data\"}]\n", ""},
         {"## template: jinja\n" + config, off},
         {"## template: jinja\n#!/bin/sh\nvendor_data: {enabled: false}\n", ""}});
}

TEST_CASE("a template that says vendor_data is only known in the guest") {
  const auto judgement = judge_user_data(
      "## template: jinja\n#cloud-config\n{% if x %}\nvendor_data: {enabled: false}\n{% endif "
      "%}\n");
  CHECK(judgement.against_mounts.empty());
  CHECK(judgement.warnings ==
        Strings{"whether it turns vendor-data off is only known in the guest, since it is a "
                "template; if so, the guest does not mount its shares"});
}

TEST_CASE("what user-data includes is not looked at, which is noted") {
  const auto judgement = judge_user_data("#include\nhttps://example.org/u\n");
  CHECK(judgement.warnings.empty());
  CHECK(judgement.notes ==
        Strings{"what it includes is not looked at: were it to turn vendor-data off, the guest "
                "would not mount its shares"});
}

TEST_CASE("vendor-data that is off takes the login too") {
  CHECK(judge_user_data("#cloud-config\nvendor_data: false\n").disables_login);
  CHECK(judge_user_data("#cloud-config\nvendor_data: {disabled_handlers: [text/cloud-config]}\n")
            .disables_login);
  CHECK_FALSE(
      judge_user_data("#cloud-config\nvendor_data: {disabled_handlers: [text/cloud-boothook]}\n")
          .disables_login);
}

}  // namespace
}  // namespace vmr::test
