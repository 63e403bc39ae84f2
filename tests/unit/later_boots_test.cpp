// SPDX-License-Identifier: MIT
#include "spec/later_boots.hpp"

#include "spec/user_data.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace vmr::test {
namespace {

struct Row {
  std::string text;
  Strings faults;
};

void check_configs(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(judge_user_data("#cloud-config\n" + row.text + "\n").later_faults == row.faults);
  }
}

const Strings off = {"it turns cloud-init off (cloud-init.disabled)"};

TEST_CASE("a datasource_list without NoCloud") {
  const Strings without = {"its datasource_list is without NoCloud"};
  check_configs({{"datasource_list: [ Ec2, None ]", without},
                 {"datasource_list: []", without},
                 {"datasource_list: [nocloud]", without},
                 {"datasource_list: [Ec2, NoCloud]", {}},
                 {"datasource_list: Ec2", {}}});
}

TEST_CASE("manual_cache_clean") {
  check_configs(
      {{"manual_cache_clean: true", {"its manual_cache_clean keeps what the first boot was told"}},
       {"manual_cache_clean: off", {}}});
}

TEST_CASE("commands that turn cloud-init off") {
  check_configs(
      {{"runcmd: [touch /etc/cloud/cloud-init.disabled]", off},
       {"runcmd: [[touch, /etc/cloud/cloud-init.disabled]]", off},
       {"bootcmd: ['cd /etc/cloud && : >cloud-init.disabled']", off},
       {"runcmd: ['[ -e /x ] || touch /etc/cloud/cloud-init.disabled']", off},
       {"runcmd: ['touch /etc/cloud/cloud-init.disabled', 'date >/etc/cloud/cloud-init.disabled']",
        off},
       {"runcmd: [rm -f /etc/cloud/cloud-init.disabled]", {}},
       {"runcmd: ['test -e /etc/cloud/cloud-init.disabled && echo off']", {}},
       {"runcmd: ['sed -i s/quiet/cloud-init=disabled/ /etc/default/grub']",
        {"it turns cloud-init off (cloud-init=disabled)"}},
       {"runcmd: [[systemctl, disable, cloud-init.service]]",
        {"it turns cloud-init off (systemctl disable)"}},
       {"runcmd: [apt-get purge -y cloud-init]", {"it turns cloud-init off (its removal)"}},
       {"runcmd: [cloud-init status --wait, apt-get install -y cloud-init]", {}},
       {"runcmd: touch /etc/cloud/cloud-init.disabled", {}}});
  CHECK(find_later_faults(
            std::string_view("#!/bin/sh\n# touch /etc/cloud/cloud-init.disabled\n")) == Strings{});
  CHECK(judge_user_data("#!/bin/sh\ntouch /etc/cloud/cloud-init.disabled\n").later_faults == off);
  CHECK(judge_user_data("#cloud-boothook\ntouch /etc/cloud/cloud-init.disabled\n").later_faults ==
        off);
}

TEST_CASE("files that turn cloud-init off or tell it otherwise") {
  check_configs(
      {{"write_files: [{path: //etc/cloud/./cloud-init.disabled}]", off},
       {"write_files: [{path: /usr/local/bin/x, content: 'touch /etc/cloud/cloud-init.disabled'}]",
        off},
       // touch /etc/cloud/cloud-init.disabled
       {"write_files: [{path: /x, encoding: b64, content: "
        "dG91Y2ggL2V0Yy9jbG91ZC9jbG91ZC1pbml0LmRpc2FibGVk}]",
        off},
       {"write_files: [{path: /etc/cloud/cloud.cfg.d/99.cfg, content: 'datasource_list: [None]'}]",
        {"in /etc/cloud/cloud.cfg.d/99.cfg datasource_list is without NoCloud"}},
       {"write_files: [{path: /etc/cloud/cloud.cfg, content: 'vendor_data: {enabled: false}'}]",
        {"in /etc/cloud/cloud.cfg 'vendor_data: {enabled: false}' turns vendor-data off"}},
       {"write_files: [{path: /etc/other.cfg, content: 'datasource_list: [None]'}]", {}},
       {"write_files: [{path: /etc/motd, content: 'made by cloud-init'}]", {}},
       {"write_files: {path: /x}", {}}});
}

TEST_CASE("mounts without exec where the mounts of the shares are kept") {
  const auto fault = [](const std::string& path) {
    return Strings{"it mounts " + path +
                   " without exec, and cloud-init could not run the script there that mounts the "
                   "shares"};
  };
  check_configs(
      {{"mounts: [[vdb, /var, ext4, 'defaults,noexec']]", fault("/var")},
       {"mounts: [[vdb, /var/lib/cloud/, ext4, 'noexec,nofail']]", fault("/var/lib/cloud")},
       {"mounts: [[vdb, /var, ext4, users]]", fault("/var")},
       {"mounts: [[vdb, /var]]\nmount_default_fields: [x, x, auto, noexec]", fault("/var")},
       {"mounts: [[vdb, /var, ext4, 'users,exec']]", {}},
       {"mounts: [[vdb, /var, ext4, ~]]", {}},
       {"mounts: [[vdb, /var/log, ext4, noexec], [vdc, /tmp, ext4, noexec], [vdb]]", {}}});
}

TEST_CASE("one fault is said once") {
  CHECK(judge_user_data("#cloud-config-archive\n"
                        "- \"#!/bin/sh\\ntouch /etc/cloud/cloud-init.disabled\"\n"
                        "- 'runcmd: [touch /etc/cloud/cloud-init.disabled]'\n")
            .later_faults == off);
}

}  // namespace
}  // namespace vmr::test
