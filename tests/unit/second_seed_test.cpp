// SPDX-License-Identifier: MIT
#include "spec/second_seed.hpp"

#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace vmr {

std::ostream& operator<<(std::ostream& out, const SeedWord& found) {
  const auto effect = found.effect;
  return out << found.word
             << (effect == SeedWord::Effect::adds         ? " (adds)"
                 : effect == SeedWord::Effect::configures ? " (configures)"
                                                          : "");
}

namespace test {
namespace {

using Effect = SeedWord::Effect;

TEST_CASE("words of a kernel's command line that lead cloud-init elsewhere") {
  for (const std::string word :
       {"ds=nocloud;s=http://x/", "ds=nocloud-net;s=http://x/", "ds=nocloud;h=a;seedfrom=/x",
        "ds=nocloud;dsmode=disabled", "ds=ec2", "ds=None", "ci.ds=Ec2", "ci.datasource=OpenStack",
        "cloud-init=disabled", "systemd.mask=cloud-init-network.service", "ci.di.policy=disabled",
        "ci.di.policy=disabled,found=all"}) {
    CAPTURE(word);
    CHECK(find_seed_word("quiet " + word + " console=ttyS0") == SeedWord{word});
  }
  for (const std::string word :
       {"ds=nocloud;h=web", "ds=nocloud;i=id-1", "ds=NoCloud;instance-id=1"}) {
    CAPTURE(word);
    CHECK(find_seed_word(word) == SeedWord{word, Effect::adds});
  }
  for (const std::string line :
       {"", "quiet", "ds=nocloud", "ds=nocloud;", "ds=nocloud-net", "ds=", "ads=ec2",
        "ci.di.policy=search,found=all", "cloud-init=enabled", "systemd.mask=ssh.service"}) {
    CAPTURE(line);
    CHECK(find_seed_word(line) == std::nullopt);
  }
  CHECK(find_seed_word("ds=nocloud;h=a ds=nocloud;s=/x") == SeedWord{"ds=nocloud;s=/x"});
}

TEST_CASE("cloud-config in a kernel's command line counts where it goes against our seed") {
  for (const std::string text :
       {"cc: {datasource_list: [None]} end_cc", "cc:{datasource_list: [ Ec2, None ]}end_cc",
        "cc: datasource_list: [] end_cc", "cc: datasource_list: null end_cc",
        "cc: vendor_data: {enabled: false} end_cc", "cc: vendor_data: off end_cc",
        "cc: {hostname: a, vendor_data: {disabled_handlers: [text/cloud-boothook]}} end_cc",
        "cc: {vendor_data: {disabled_handlers: [text/cloud-config]}} end_cc",
        "cc: hostname: a\\ndatasource_list: [None] end_cc",
        "cc: %7Bdatasource_list: %5BNone%5D%7D end_cc",
        "cc: {datasource: {NoCloud: {seedfrom: http://x/}}} end_cc",
        "cc: {datasource: {NoCloud: {fs_label: mine}}} end_cc"}) {
    CAPTURE(text);
    CHECK(find_seed_word("quiet " + text + " ro") == SeedWord{text});
  }
  // Without an end it is all that follows; several are one.
  CHECK(find_seed_word("quiet cc: datasource_list: [None]") ==
        SeedWord{"cc: datasource_list: [None]"});
  CHECK(find_seed_word("cc: {a: 1} end_cc ro cc: datasource_list: [None] end_cc") == std::nullopt);
  CHECK(find_seed_word("cc: a: 1 end_cc ro cc: datasource_list: [None] end_cc") ==
        SeedWord{"cc: a: 1 end_cc"});
  CHECK(find_seed_word("ds=nocloud;h=a cc: datasource_list: [None] end_cc") ==
        SeedWord{"cc: datasource_list: [None] end_cc"});
  CHECK(find_seed_word("mac=aa:cc:01 cc: {datasource_list: [None]} end_cc") ==
        SeedWord{"cc: {datasource_list: [None]} end_cc"});
  for (const std::string text :
       {"cc: {hostname: a} end_cc", "cc: {datasource: {NoCloud: {seedfrom: ''}}} end_cc",
        "cc: {datasource_list: [NoCloud, None]} end_cc",
        "cc: {vendor_data: {enabled: true}} end_cc",
        "cc: {datasource: {NoCloud: {fs_label: CIDATA}}} end_cc", "cc: runcmd: [poweroff] end_cc",
        "cloud-config-url=http://x/y", "url=http://x/y"}) {
    CAPTURE(text);
    CHECK(find_seed_word("quiet " + text + " ro") == SeedWord{text, Effect::configures});
  }
  for (const std::string line :
       {"cc:", "cc: end_cc", "cc: {} end_cc", "ip=52:54:00:aa:cc:01", "a:cc: {b: 1} end_cc",
        "cc: [a] end_cc", "url=", "cloud-config-url=", "curl=x", "cc: {a: end_cc", "cc:%",
        "cc: %4 end_cc"}) {
    CAPTURE(line);
    CHECK(find_seed_word(line) == std::nullopt);
  }
}

TEST_CASE("in a serial number only ds=nocloud counts") {
  CHECK(find_seed_word_in_serial("ds=nocloud;s=http://x/") == SeedWord{"ds=nocloud;s=http://x/"});
  CHECK(find_seed_word_in_serial("ds=ec2") == std::nullopt);
  CHECK(find_seed_word_in_serial("1234") == std::nullopt);
}

const std::string hint =
    "leave it out; or set CLOUD_INIT=0, see to the login in the guest, and mount the shares by "
    "hand";

Problem problem(const std::string& subject, const std::string& word, const std::string& origin) {
  return {subject + ": with '" + word +
              "' the guest would not take our seed, in which its login and the mounts of its "
              "shares are",
          origin, hint};
}

TEST_CASE("a second seed in EXTRA_ARGS is refused") {
  const auto extra = [](const std::string& arguments) {
    return judge({"EXTRA_ARGS=" + arguments}, docker_host());
  };
  const std::string word = "ds=nocloud;s=http://10.0.2.2:8000/a,b/";
  CHECK(extra("-smbios 'type=1,serial=ds=nocloud;s=http://10.0.2.2:8000/a,,b/'") ==
        Verdict{{problem("EXTRA_ARGS", word, "EXTRA_ARGS (environment)")}, {}});
  CHECK(extra("-smbios type=1,serial=1 --smbios 'type=0x1,uuid=x,serial=ds=nocloud;s=/x'") ==
        Verdict{{problem("EXTRA_ARGS", "ds=nocloud;s=/x", "EXTRA_ARGS (environment)")}, {}});
  CHECK(extra("-smbios 'type=1,serial=ds=nocloud;s=/x' -smbios type=1,serial=1") == Verdict{});
  CHECK(extra("-smbios 'type=2,serial=ds=nocloud;s=/x'") == Verdict{});
  CHECK(extra("-smbios type=1,serial=ds=nocloud") == Verdict{});
  CHECK(
      extra("-smbios 'type=1,serial=ds=nocloud;h=web'") ==
      Verdict{{},
              {"EXTRA_ARGS: 'ds=nocloud;h=web': the guest takes its name or its id from there and "
               "not from ours"}});
}

TEST_CASE("a kernel's command line that leads elsewhere is refused, unless cloud-init is off") {
  auto host = docker_host();
  host.files["/k"] = regular_file();
  const Strings environment = {"KERNEL=/k", "CMDLINE=root=/dev/vda cloud-init=disabled"};
  CHECK(judge(environment, host) ==
        Verdict{{problem("CMDLINE", "cloud-init=disabled", "CMDLINE (environment)")}, {}});
  auto without = environment;
  without.emplace_back("CLOUD_INIT=0");
  CHECK(judge(without, host) == Verdict{});
}

TEST_CASE("cloud-config on a kernel's command line is refused or worth a warning") {
  auto host = docker_host();
  host.files["/k"] = regular_file();
  const std::string against = "cc: {datasource_list: [None]} end_cc";
  CHECK(judge({"KERNEL=/k", "CMDLINE=quiet " + against}, host) ==
        Verdict{{problem("CMDLINE", against, "CMDLINE (environment)")}, {}});
  CHECK(judge({"KERNEL=/k", "CMDLINE=cloud-config-url=http://x/y"}, host) ==
        Verdict{{},
                {"CMDLINE: 'cloud-config-url=http://x/y': the guest's cloud-init takes settings "
                 "from there too, which may undo some of ours"}});
}

TEST_CASE("so is one that comes with the image") {
  auto host = docker_host();
  host.guest->kernel = "/k";
  host.guest->cmdline = "ds=ec2";
  host.files["/k"] = regular_file();
  CHECK(judge({"BASE_IMAGE=/g"}, host).problems ==
        std::vector<Problem>{
            problem("the guest's own kernel command line", "ds=ec2", "BASE_IMAGE (environment)")});
}

TEST_CASE("a disk that is a seed itself is refused") {
  auto host = docker_host();
  const auto disk = [&](const std::string& name, const std::string& label) {
    auto facts = regular_file();
    facts.contents = {FileContents::Kind::iso, "", label};
    host.files[host.working_folder + "/" + name] = facts;
  };
  disk("seed.iso", "cidata");
  disk("fat.img", "CIDATA");
  disk("data.iso", "data");
  const auto seed = [](const std::string& name, const std::string& label) {
    return Problem{"EXTRA_ARGS: '" + name + "' is a seed of its own (its label is " + label +
                       "), and the guest takes only one of the two",
                   "EXTRA_ARGS (environment)",
                   "leave it out and give what is in it as CLOUD_INIT_USER_DATA; or set "
                   "CLOUD_INIT=0, see to the login in it, and mount the shares by hand"};
  };
  const std::string arguments =
      "EXTRA_ARGS=-cdrom seed.iso -drive file=fat.img,format=raw,if=virtio "
      "-drive file=data.iso,format=raw,if=virtio";
  CHECK(judge({arguments}, host).problems ==
        std::vector<Problem>{seed("seed.iso", "cidata"), seed("fat.img", "CIDATA")});
  CHECK(judge({arguments, "CLOUD_INIT=0"}, host).problems == std::vector<Problem>{});
}

}  // namespace
}  // namespace test
}  // namespace vmr
