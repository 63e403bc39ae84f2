// SPDX-License-Identifier: MIT
#include "spec/user_data.hpp"

#include "base/user_data_size.hpp"
#include "build_paths.hpp"
#include "support/gzip.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace vmr::test {
namespace {

const std::string known =
    "cloud-init knows what begins with #cloud-config, #!, #include, #include-once, "
    "#cloud-boothook, #part-handler, #cloud-config-archive, #cloud-config-jsonp, '## template: "
    "jinja', or the headers of a MIME message with MIME-Version:";

const std::string public_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIEhyXErZvV9HBIRVmaMENyTC6j6NeEMTtgjpO3AVpAk me";

/// What is found in user-data, without the words.
std::string summary(const UserDataJudgement& judgement) {
  std::string words = judgement.is_taken ? "taken" : "ignored";
  if (judgement.is_too_large) words = "too-large";
  if (!judgement.against_mounts.empty()) words += " vendor-off";
  if (judgement.disables_login) words += " login-off";
  if (!judgement.has_default_user) words += " no-default-user";
  if (!judgement.later_faults.empty()) words += " later-boots";
  if (!judgement.warnings.empty()) words += " warning";
  return words;
}

TEST_CASE("user-data of tests/cases is judged as its table has it") {
  const std::filesystem::path folder = SOURCE_FOLDER "/tests/cases/user-data";
  std::string expected = read_text((folder / "judged.tsv").string());
  Strings rows;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".tsv") continue;
    rows.push_back(std::filesystem::relative(entry.path(), folder).string() + "\t" +
                   summary(judge_user_data(read_text(entry.path().string()))) + "\n");
  }
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& row : rows) text += row;
  CHECK(text == expected);
}

TEST_CASE("user-data that cloud-init would ignore is said, and a login is made all the same") {
  auto host = docker_host();
  host.user_data = "hostname: web\n";
  const auto resolved = resolve_settings({"CLOUD_INIT_USER_DATA=/u"}, host);
  CHECK(resolved.warnings ==
        Strings{"CLOUD_INIT_USER_DATA='/u': cloud-init would ignore it: " + known});
  CHECK(resolved.spec.generated_password == host.random.substr(0, 12));
  CHECK(resolved.spec.cloud_init->user_data == "hostname: web\n");
  CHECK_FALSE(resolved.spec.cloud_init->password_hash.empty());
}

TEST_CASE("why cloud-init would ignore user-data") {
  const std::vector<std::pair<std::string, Strings>> rows = {
      {"", {"cloud-init would ignore it: it is empty; " + known}},
      {"\xEF\xBB\xBF#cloud-config\n",
       {"cloud-init would ignore it: it begins with a byte order mark, which has to go; " + known}},
      {"---\n#cloud-config\n",
       {"cloud-init would ignore it: no line may be before its beginning; " + known}},
      {"## template: jinja\nhello\n",
       {"cloud-init would ignore it: behind the first line of a template, " + known}},
      {"## template: jinja",
       {"cloud-init would ignore it: behind the first line of a template, " + known}},
      {"Content-Type: text/cloud-config\n\na: 1\n",
       {"cloud-init would ignore it: it is a MIME message without MIME-Version:; " + known}},
      {"#cloud-config\n{ a: [\n",
       {"cloud-init would ignore it: it is not YAML that cloud-init reads: line 3: end of sequence "
        "flow not found"}},
      {"MIME-Version: 1.0\nContent-Type: text/cloud-config\n\na: \u00e9\n",
       {"cloud-init would ignore it: it is not UTF-8, or in a MIME message with letters such as "
        "\u00e9 "
        "and without 'Content-Transfer-Encoding: base64'"}},
      {"#cloud-config\nhostname: web\nruncmd:\t[a]\n",
       {"cloud-init would ignore it: it is not YAML that cloud-init reads: line 3: a tab, which "
        "may "
        "only be in quotes, in a block of text and in a comment"}},
      {"#cloud-config\n- a\n", {"cloud-init would ignore it: it is no map in YAML"}},
      {"#cloud-config-archive\na: 1\n", {"cloud-init would ignore it: it is no list in YAML"}},
      {"MIME-Version: 1.0\nContent-Type: text/html\n\nx",
       {"cloud-init would ignore it: cloud-init does not know its type, 'text/html'"}},
      {"MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nx",
       {"cloud-init would ignore it: it is a MIME message without parts"}},
      {"MIME-Version: 1.0\n\n\xff", {"cloud-init ends at it: a MIME message has to be UTF-8"}}};
  for (const auto& [text, warnings] : rows) {
    CAPTURE(text);
    const auto judgement = judge_user_data(text);
    CHECK_FALSE(judgement.is_taken);
    CHECK(judgement.warnings == warnings);
  }
}

TEST_CASE("what a template makes of its beginning only the guest knows") {
  for (const auto* text : {"## template: jinja\n{% if x %}#cloud-config\n{% endif %}\n",
                           "## template: jinja\n\n#!/bin/sh\n"}) {
    CAPTURE(text);
    const auto judgement = judge_user_data(text);
    CHECK(judgement.is_taken);
    CHECK(judgement.warnings.empty());
  }
}

TEST_CASE("one part that is ignored does not hide the others") {
  const auto judgement =
      judge_user_data("#cloud-config-archive\n- '#!/bin/sh'\n- {content: 'a: [', filename: b}\n");
  CHECK(judgement.is_taken);
  CHECK(judgement.warnings ==
        Strings{"cloud-init would ignore 'b' of it: it is not YAML that cloud-init reads: line 1: "
                "end of sequence flow not found"});
}

TEST_CASE("user-data that says nothing is taken: who gives it wants no password") {
  CHECK(judge_user_data("#cloud-config\n") == UserDataJudgement{});
  CHECK(judge_user_data("#cloud-config\n{}\n") == UserDataJudgement{});
  CHECK(judge_user_data("#!/bin/sh\n") == UserDataJudgement{});
}

TEST_CASE("user-data that expands beyond what is looked at is refused") {
  auto host = docker_host();
  host.user_data = gzip(std::string(largest_user_data + 1, ' '));
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u"}, host) ==
        Verdict{{{"CLOUD_INIT_USER_DATA='/u': it expands to more than 16 MiB",
                  "CLOUD_INIT_USER_DATA (environment)", "name a file with cloud-init user-data"}},
                {}});
}

TEST_CASE("a login made for user-data that is ignored would be lost with a disk that is kept") {
  auto host = docker_host();
  host.user_data = std::string("\0\1\2", 3);
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u", "PERSIST=1"}, host) ==
        Verdict{{{"PERSIST='1': a password made for this run would be lost, and the disk would "
                  "keep it",
                  "PERSIST (environment)", "set GUEST_PASSWORD or SSH_PUBKEY"}},
                {"CLOUD_INIT_USER_DATA='/u': cloud-init would ignore it: " + known}});
}

TEST_CASE("a login that was given and is nobody's is said") {
  auto host = docker_host();
  host.user_data = "#cloud-config\nusers: [{name: alice}]\n";
  const auto warnings = [&](Strings environment) {
    environment.emplace_back("CLOUD_INIT_USER_DATA=/u");
    return judge(environment, host).warnings;
  };
  const std::string start =
      "CLOUD_INIT_USER_DATA='/u': its users are without 'default', so nobody gets ";
  const std::string end = "; add '- default' to them, or give a login there";
  CHECK(warnings({}) == Strings{});
  CHECK(warnings({"GUEST_PASSWORD=x"}) == Strings{start + "GUEST_PASSWORD" + end});
  CHECK(warnings({"SSH_PUBKEY=" + public_key}) == Strings{start + "SSH_PUBKEY" + end});
  CHECK(warnings({"GUEST_PASSWORD=x", "SSH_PUBKEY=" + public_key}) ==
        Strings{start + "GUEST_PASSWORD and SSH_PUBKEY" + end});
  host.user_data += "disable_root: false\n";
  CHECK(warnings({"GUEST_PASSWORD=x", "SSH_PUBKEY=" + public_key}) ==
        Strings{start + "GUEST_PASSWORD" + end});
}

TEST_CASE("a password is of no use without vendor-data") {
  auto host = docker_host();
  host.user_data = "#cloud-config\nvendor_data: {enabled: false}\n";
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u", "GUEST_PASSWORD=x"}, host) ==
        Verdict{{},
                {"CLOUD_INIT_USER_DATA='/u': it turns vendor-data off, so GUEST_PASSWORD has no "
                 "effect"}});
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u", "GUEST_PASSWORD=x", "FILESYSTEM_SOURCE=/share"}, host)
            .warnings == Strings{});
}

TEST_CASE("what later boots would not mount is said before the first") {
  auto host = docker_host();
  host.user_data = "#cloud-config\ndatasource_list: [Ec2]\n";
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u"}, host) == Verdict{});
  CHECK(judge({"CLOUD_INIT_USER_DATA=/u", "FILESYSTEM_SOURCE=/share"}, host) ==
        Verdict{{},
                {"CLOUD_INIT_USER_DATA='/u': its datasource_list is without NoCloud: the guest's "
                 "next boot would not mount its shares as they are then"}});
}

}  // namespace
}  // namespace vmr::test
