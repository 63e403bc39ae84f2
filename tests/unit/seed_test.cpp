// SPDX-License-Identifier: MIT
#include "plan/seed.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace vmr {
namespace {

struct Part {
  std::string type;
  std::string body;

  bool operator==(const Part&) const = default;
};

/// Reads a multipart message as a MIME parser does, strictly.
std::vector<Part> parse_multipart(const std::string& text) {
  const std::string begin = "Content-Type: multipart/mixed; boundary=\"";
  REQUIRE(text.starts_with(begin));
  const auto boundary =
      "\n--" + text.substr(begin.size(), text.find('"', begin.size()) - begin.size());
  std::vector<Part> parts;
  auto at = text.find(boundary + "\n");
  CHECK(text.substr(text.find('\n') + 1, at - text.find('\n') - 1) == "MIME-Version: 1.0\n");
  while (at != text.npos && text.compare(at + boundary.size(), 2, "--") != 0) {
    const auto header = at + boundary.size() + 1;
    const auto body = text.find("\n\n", header) + 2;
    const auto end = text.find(boundary, body);
    const std::string type = "Content-Type: ";
    REQUIRE(text.compare(header, type.size(), type) == 0);
    const auto type_end = text.find('\n', header);
    parts.push_back({text.substr(header + type.size(), type_end - header - type.size()),
                     text.substr(body, end - body)});
    at = end;
  }
  REQUIRE(at != text.npos);
  CHECK(text.substr(at) == boundary + "--\n");
  return parts;
}

Share share_with(int number, std::string tag, std::string mount) {
  Share share;
  share.number = number;
  share.tag = std::move(tag);
  share.mount = std::move(mount);
  return share;
}

VmSpec spec_with(std::string name, CloudInit cloud_init, std::vector<Share> shares = {}) {
  VmSpec spec;
  spec.name = std::move(name);
  spec.cloud_init = std::move(cloud_init);
  spec.shares = std::move(shares);
  return spec;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

TEST_CASE("a full seed") {
  const std::vector<Share> shares = {share_with(1, "share", "/mnt/share")};
  const auto seed = make_seed(spec_with("web",
                                        {"#cloud-config\nruncmd: [id]\n",
                                         "$6$salt$hash/.",
                                         {"ssh-ed25519 AAAA me@here", "ssh-rsa BBBB"}},
                                        shares));
  CHECK(seed == SeedContents{"instance-id: \"iid-web\"\n"
                             "local-hostname: \"web\"\n"
                             "public-keys:\n"
                             "  - \"ssh-ed25519 AAAA me@here\"\n"
                             "  - \"ssh-rsa BBBB\"\n",
                             "#cloud-config\nruncmd: [id]\n",
                             "Content-Type: multipart/mixed; boundary=\"vm-runner-part\"\n"
                             "MIME-Version: 1.0\n"
                             "\n"
                             "--vm-runner-part\n"
                             "Content-Type: text/cloud-config\n"
                             "Content-Transfer-Encoding: 7bit\n"
                             "Content-Disposition: attachment; filename=\"vm-runner-login\"\n"
                             "\n"
                             "#cloud-config\n"
                             "password: \"$6$salt$hash/.\"\n"
                             "chpasswd:\n"
                             "  expire: false\n"
                             "ssh_pwauth: true\n"
                             "ssh_authorized_keys:\n"
                             "  - \"ssh-ed25519 AAAA me@here\"\n"
                             "  - \"ssh-rsa BBBB\"\n"
                             "\n"
                             "--vm-runner-part\n"
                             "Content-Type: text/cloud-boothook\n"
                             "Content-Transfer-Encoding: 7bit\n"
                             "Content-Disposition: attachment; filename=\"vm-runner-mounts\"\n"
                             "\n" +
                                 mount_script(shares) +
                                 "\n"
                                 "--vm-runner-part--\n"});
}

TEST_CASE("an empty seed is complete and harmless") {
  const auto seed = make_seed(spec_with("web", {}));
  CHECK(seed.meta_data == "instance-id: \"iid-web\"\nlocal-hostname: \"web\"\n");
  CHECK(seed.user_data == "#cloud-config\n{}\n");
  CHECK(parse_multipart(seed.vendor_data) ==
        std::vector<Part>{{"text/cloud-config", "#cloud-config\n{}\n"},
                          {"text/cloud-boothook", mount_script({})}});
  CHECK(make_seed(VmSpec{}).user_data == "#cloud-config\n{}\n");
}

TEST_CASE("ssh_pwauth is left alone without a password") {
  const auto seed = make_seed(spec_with("web", {"", "", {"ssh-rsa A"}}));
  CHECK(parse_multipart(seed.vendor_data) ==
        std::vector<Part>{
            {"text/cloud-config", "#cloud-config\nssh_authorized_keys:\n  - \"ssh-rsa A\"\n"},
            {"text/cloud-boothook", mount_script({})}});
}

TEST_CASE("user-data is handed on byte for byte") {
  const std::string user_data("\x1f\x8b\0\r\n--vm-runner-part--\n\xff", 25);
  CHECK(make_seed(spec_with("web", {user_data, "", {}})).user_data == user_data);
}

TEST_CASE("hostile names hashes and keys come back from the YAML as they were") {
  const std::vector<std::string> hostile = {"123",
                                            "no",
                                            "null",
                                            "~",
                                            "a: b # c",
                                            "- x",
                                            "{}",
                                            "a\"b'c\\",
                                            "$(x)`id`%n",
                                            "a\nb: c",
                                            "\t\r\x01",
                                            " blank ",
                                            "\xc3\xbc",
                                            "\xe4\xb8\xad",
                                            "\xf0\x9f\x98\x80",
                                            "*a &b !c",
                                            "@%|>",
                                            "",
                                            "--- \n...\n",
                                            std::string(5000, 'k')};
  for (const auto& value : hostile) {
    CAPTURE(value);
    const auto hash = value.empty() ? "x" : value;
    const auto seed = make_seed(spec_with(value, {"", hash, {value, "second"}}));
    const auto meta_data = YAML::Load(seed.meta_data);
    CHECK(meta_data.size() == 3);
    CHECK(meta_data["instance-id"].as<std::string>() == "iid-" + value);
    CHECK(meta_data["local-hostname"].as<std::string>() == value);
    CHECK(meta_data["local-hostname"].Tag() == "!");  // in quotes, so a string to every reader
    CHECK(meta_data["public-keys"].as<std::vector<std::string>>() ==
          std::vector<std::string>{value, "second"});

    const auto parts = parse_multipart(seed.vendor_data);
    REQUIRE(parts.size() == 2);
    const auto login = YAML::Load(parts.front().body);
    CHECK(login.size() == 4);
    CHECK(login["password"].as<std::string>() == hash);
    CHECK(login["chpasswd"]["expire"].as<bool>() == false);
    CHECK(login["ssh_pwauth"].as<bool>() == true);
    CHECK(login["ssh_authorized_keys"].as<std::vector<std::string>>() ==
          std::vector<std::string>{value, "second"});
    CHECK(is_ascii(seed.meta_data));
    CHECK(is_ascii(seed.vendor_data));
  }
}

TEST_CASE("a boundary in a value cannot end a part") {
  const std::vector<Share> shares = {
      share_with(1, "\n--vm-runner-part--\n", "/mnt/--vm-runner-part-x\n")};
  const auto seed = make_seed(spec_with("web", {"", "", {"vm-runner-part-x-x"}}, shares));
  CHECK(seed.vendor_data.starts_with(
      "Content-Type: multipart/mixed; boundary=\"vm-runner-part-x-x-x\"\n"));
  const auto parts = parse_multipart(seed.vendor_data);
  CHECK(parts == std::vector<Part>{{"text/cloud-config",
                                    "#cloud-config\nssh_authorized_keys:\n"
                                    "  - \"vm-runner-part-x-x\"\n"},
                                   {"text/cloud-boothook", mount_script(shares)}});
}

TEST_CASE("hostile tags and folders leave the vendor-data ASCII and whole") {
  const std::vector<Share> shares = {share_with(1, "\xc3\xbc \xff", "/mnt/\xe4\xb8\xad\r\x01"),
                                     share_with(2, "Content-Type: x", "/mnt/$(x)'\"")};
  const auto seed = make_seed(spec_with("web", {}, shares));
  CHECK(is_ascii(seed.vendor_data));
  const auto parts = parse_multipart(seed.vendor_data);
  REQUIRE(parts.size() == 2);
  CHECK(parts.at(1) == Part{"text/cloud-boothook", mount_script(shares)});
}

}  // namespace
}  // namespace vmr
