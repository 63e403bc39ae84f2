// SPDX-License-Identifier: MIT
#include "plan/seed.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace vmr {
namespace {

/// A part of a MIME message. The body is ASCII: cloud-init's parser damages 8-bit text.
struct Part {
  std::string type;
  std::string file_name;
  std::string body;
};

/// An emitter of ASCII YAML.
class Yaml {
 public:
  Yaml() {
    emitter_.SetOutputCharset(YAML::EscapeNonAscii);
    emitter_ << YAML::BeginMap;
  }

  /// Always in quotes: bare, the name `123` would be a number and `no` a boolean.
  Yaml& put(const char* key, const std::string& value) {
    emitter_ << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
    return *this;
  }
  Yaml& put(const char* key, bool value) {
    emitter_ << YAML::Key << key << YAML::Value << value;
    return *this;
  }
  Yaml& put(const char* key, const std::vector<std::string>& values) {
    emitter_ << YAML::Key << key << YAML::Value << YAML::BeginSeq;
    for (const auto& value : values) emitter_ << YAML::DoubleQuoted << value;
    emitter_ << YAML::EndSeq;
    return *this;
  }
  Yaml& begin(const char* key) {
    emitter_ << YAML::Key << key << YAML::Value << YAML::BeginMap;
    return *this;
  }
  Yaml& end() {
    emitter_ << YAML::EndMap;
    return *this;
  }

  std::string finish() {
    emitter_ << YAML::EndMap;
    return std::string(emitter_.c_str()) + "\n";
  }

 private:
  YAML::Emitter emitter_;
};

std::string make_meta_data(const std::string& name, const std::vector<std::string>& ssh_keys) {
  Yaml yaml;
  // The same for every boot, so that a persistent disk is set up only once.
  yaml.put("instance-id", "iid-" + name).put("local-hostname", name);
  // Here as well as in vendor-data: user-data with keys of its own replaces the latter's.
  if (!ssh_keys.empty()) yaml.put("public-keys", ssh_keys);
  return yaml.finish();
}

/// How to log in as the image's default user, whatever its name.
std::string make_login(const CloudInit& cloud_init) {
  Yaml yaml;
  if (!cloud_init.password_hash.empty()) {
    yaml.put("password", cloud_init.password_hash);
    yaml.begin("chpasswd").put("expire", false).end();
    yaml.put("ssh_pwauth", true);
  }
  if (!cloud_init.ssh_keys.empty()) yaml.put("ssh_authorized_keys", cloud_init.ssh_keys);
  return "#cloud-config\n" + yaml.finish();
}

/// A boundary that is in none of the parts; ends because a longer one fits a text less often.
std::string choose_boundary(const std::vector<Part>& parts) {
  std::string boundary = "vm-runner-part";
  while (std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    return part.body.find(boundary) != part.body.npos;
  })) {
    boundary += "-x";
  }
  return boundary;
}

std::string make_multipart(const std::vector<Part>& parts) {
  const auto boundary = choose_boundary(parts);
  std::string text = fmt::format(
      "Content-Type: multipart/mixed; boundary=\"{}\"\n"
      "MIME-Version: 1.0\n",
      boundary);
  for (const Part& part : parts) {
    // The newline before a boundary belongs to the boundary.
    text += fmt::format(
        "\n--{}\n"
        "Content-Type: {}\n"
        "Content-Transfer-Encoding: 7bit\n"
        "Content-Disposition: attachment; filename=\"{}\"\n"
        "\n"
        "{}",
        boundary, part.type, part.file_name, part.body);
  }
  return text + fmt::format("\n--{}--\n", boundary);
}

}  // namespace

SeedContents make_seed(const VmSpec& spec) {
  const auto cloud_init = spec.cloud_init.value_or(CloudInit{});
  // The mounts also without shares: their report tells that the guest is up.
  const std::vector<Part> parts = {
      {"text/cloud-config", "vm-runner-login", make_login(cloud_init)},
      {"text/cloud-boothook", "vm-runner-mounts", mount_script(spec.shares)}};
  return {make_meta_data(spec.name, cloud_init.ssh_keys),
          cloud_init.user_data.empty() ? "#cloud-config\n{}\n" : cloud_init.user_data,
          make_multipart(parts)};
}

}  // namespace vmr
