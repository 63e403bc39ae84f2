// SPDX-License-Identifier: MIT
#include "config/settings.hpp"

#include "base/ascii.hpp"
#include "config/load.hpp"
#include "config/secret_files.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace vmr;
using namespace std::chrono_literals;

namespace {

constexpr auto env = Source::environment;

template <typename Target>
const Setting<Target>& find(std::span<const Setting<Target>> settings, std::string_view name) {
  for (const auto& setting : settings) {
    if (setting.name == name) return setting;
  }
  throw std::out_of_range(std::string(name));
}

/// Why `value` is no value of the VM's setting `name`; an empty one when it is.
Invalid refusal(const std::string& name, const std::string& value) {
  Config config;
  const auto invalid = find(vm_settings(), name).store(config, {value, {env, name, ""}});
  // A refused text must leave no trace but its mark, which the next text takes away.
  if (invalid) {
    CHECK(find(vm_settings(), name).store(config, {}) == std::nullopt);
    CHECK(config == Config{});
  }
  return invalid.value_or(Invalid{});
}

Invalid share_refusal(const std::string& name, const std::string& value) {
  ShareConfig share;
  const auto invalid =
      find(share_settings(), name).store(share, {value, {env, share_variable(2, name), ""}});
  if (invalid) {
    CHECK(find(share_settings(), name).store(share, {}) == std::nullopt);
    CHECK(share == ShareConfig{});
  }
  return invalid.value_or(Invalid{});
}

/// What the setting `name` makes of `value` in `Member`.
template <auto Member>
auto stored(const std::string& name, const std::string& value) {
  Config config;
  CHECK(find(vm_settings(), name).store(config, {value, {env, name, ""}}) == std::nullopt);
  CHECK((config.*Member).origin == Origin{env, name, ""});
  return (config.*Member).value;
}

template <auto Member>
auto stored_in_share(const std::string& name, const std::string& value) {
  ShareConfig share;
  CHECK(find(share_settings(), name).store(share, {value, {env, name, ""}}) == std::nullopt);
  CHECK((share.*Member).origin == Origin{env, name, ""});
  return (share.*Member).value;
}

const std::vector<std::string> hostile = {
    "a,b",      " ",  "a\"b'c", "line\nline", "$(id)",        "%s%n",
    "größe 中", "\\", "--",     "`id`",       "\x01\x7f\xff", std::string(100000, 'x')};

}  // namespace

TEST_CASE("every setting has a name of its own and a meaning and can be stored") {
  std::set<std::string_view> names;
  for (const auto& setting : vm_settings()) {
    CAPTURE(setting.name);
    CHECK(names.insert(setting.name).second);
    CHECK(!setting.meaning.empty());
    CHECK(ascii_upper(setting.name) == setting.name);
    REQUIRE(bool(setting.store.parse));
    CHECK(refusal(std::string(setting.name), std::string(setting.default_value)) == Invalid{});
  }
  names.clear();
  for (const auto& setting : share_settings()) {
    CAPTURE(setting.name);
    CHECK(names.insert(setting.name).second);
    CHECK(!setting.meaning.empty());
    REQUIRE(bool(setting.store.parse));
    CHECK(share_refusal(std::string(setting.name), std::string(setting.default_value)) ==
          Invalid{});
  }
}

TEST_CASE("only the password is a secret") {
  for (const auto& setting : vm_settings()) {
    CHECK(setting.secret == (setting.name == "GUEST_PASSWORD"));
  }
  for (const auto& setting : share_settings()) CHECK_FALSE(setting.secret);
  CHECK(is_secret({0, "GUEST_PASSWORD"}));
  CHECK_FALSE(is_secret({0, "GUEST_PASSWORD_FILE"}));
  CHECK_FALSE(is_secret({0, "MEMORY"}));
  CHECK_FALSE(is_secret({1, "GUEST_PASSWORD"}));
}

TEST_CASE("every secret can be in a file that a setting of its own names") {
  for (const auto& setting : vm_settings()) {
    if (!setting.secret) continue;
    CAPTURE(setting.name);
    const SettingKey file{0, file_setting_of(setting.name)};
    CHECK(find_setting(file.name) == file);
    CHECK(row_of(file).kind == ValueKind::path);
    // What reads the files knows none of a share.
    GivenTexts given;
    given[file] = {"/file", {Source::environment, file.name, {}}};
    REQUIRE(find_secret_files(given).size() == 1);
    CHECK(find_secret_files(given).front().secret == setting.name);
  }
}

TEST_CASE("variables and settings name each other") {
  CHECK(share_variable(1, "SOURCE") == "FILESYSTEM_SOURCE");
  CHECK(share_variable(2, "SOURCE") == "FILESYSTEM2_SOURCE");
  CHECK(toml_key("FILESYSTEM12_QUEUE_SIZE") == "queue_size");
  CHECK(toml_key("CLOUD_INIT_USER_DATA") == "cloud_init_user_data");
  for (const auto& setting : vm_settings()) {
    const SettingKey key{0, std::string(setting.name)};
    CHECK(find_setting(variable_of(key)) == key);
  }
  for (const int share : {1, 2, 10, 999}) {
    for (const auto& setting : share_settings()) {
      const SettingKey key{share, std::string(setting.name)};
      CHECK(find_setting(variable_of(key)) == key);
    }
  }
  for (const auto* variable : {"", "memory", "SOURCE", "FILESYSTEM1_SOURCE", "FILESYSTEM02_SOURCE",
                               "FILESYSTEM1000_SOURCE", "FILESYSTEM+2_SOURCE",
                               "FILESYSTEM4294967298_SOURCE", "FILESYSTEM2_"}) {
    CAPTURE(variable);
    CHECK(find_setting(variable) == std::nullopt);
  }
}

TEST_CASE("origins are described in the words of their source") {
  CHECK(describe({env, "FILESYSTEM2_ACCESSMODE", ""}) == "FILESYSTEM2_ACCESSMODE (environment)");
  CHECK(describe({Source::file, "FILESYSTEM2_ACCESSMODE", "vm.toml:12"}) ==
        "accessmode (vm.toml:12)");
  CHECK(describe({Source::file, "BASE_IMAGE", "vm.toml:1"}) == "base_image (vm.toml:1)");
  CHECK(describe({Source::command_line, "MEMORY", "--set MEMORY=1G"}) ==
        "MEMORY (--set MEMORY=1G)");
  CHECK(describe({Source::default_value, "MEMORY", ""}) == "MEMORY (default)");
}

TEST_CASE("texts become values") {
  CHECK(stored<&Config::memory>("MEMORY", "2G") == 2048);
  CHECK(stored<&Config::memory>("MEMORY", "16") == 16);
  CHECK(stored<&Config::memory>("MEMORY", "16T") == 16777216);
  CHECK(stored<&Config::cpus>("CPUS", "255") == 255);
  CHECK(stored<&Config::accel>("ACCEL", "tcg") == Accelerator::tcg);
  CHECK(stored<&Config::require_kvm>("REQUIRE_KVM", "Yes") == true);
  CHECK(stored<&Config::stop_timeout>("STOP_TIMEOUT", "0.5") == 500ms);
  CHECK(stored<&Config::stop_timeout>("STOP_TIMEOUT", "0") == 0ms);
  CHECK(stored<&Config::start_timeout>("START_TIMEOUT", "0.001") == 1ms);
  for (const std::string nothing : {"0", "0.0", "00.000"}) {
    CHECK(refusal("START_TIMEOUT", nothing) ==
          Invalid{"QEMU cannot start in no time", "seconds above 0, or leave it out"});
  }
  CHECK(stored<&Config::extra_args>("EXTRA_ARGS", "-a 'b c'") ==
        std::vector<std::string>{"-a", "b c"});
  CHECK(stored_in_share<&ShareConfig::driver>("DRIVER", "9p") == Driver::ninep);
  CHECK(stored_in_share<&ShareConfig::fmode>("FMODE", "0640") == 0640U);
  CHECK(stored_in_share<&ShareConfig::dmode>("DMODE", "700") == 0700U);
  CHECK(stored_in_share<&ShareConfig::multidevs>("MULTIDEVS", "warn") == Multidevs::warn);
  CHECK(stored_in_share<&ShareConfig::wrpolicy>("WRPOLICY", "immediate") == WritePolicy::immediate);
  CHECK(stored_in_share<&ShareConfig::sandbox>("SANDBOX", "namespace") == Sandbox::name_space);
  CHECK(stored_in_share<&ShareConfig::queue_size>("QUEUE_SIZE", "128") == 128U);
  CHECK(stored_in_share<&ShareConfig::thread_pool_size>("THREAD_POOL_SIZE", "0") == 0U);
}

TEST_CASE("each field is filled by its own setting") {
  for (const auto& value : hostile) {
    CHECK(stored<&Config::base_image>("BASE_IMAGE", value) == value);
    CHECK(stored<&Config::kernel>("KERNEL", value) == value);
    CHECK(stored<&Config::initrd>("INITRD", value) == value);
    CHECK(stored<&Config::cmdline>("CMDLINE", value) == value);
    CHECK(stored<&Config::cpu_model>("CPU_MODEL", value) == value);
    CHECK(stored<&Config::machine>("MACHINE", value) == value);
    CHECK(stored<&Config::guest_name>("GUEST_NAME", value) == value);
    CHECK(stored<&Config::guest_password>("GUEST_PASSWORD", value) == value);
    CHECK(stored<&Config::ssh_pubkey>("SSH_PUBKEY", value) == value);
    CHECK(stored<&Config::data_dir>("DATA_DIR", value) == value);
    CHECK(stored<&Config::cloud_init_user_data>("CLOUD_INIT_USER_DATA", value) == value);
    CHECK(stored_in_share<&ShareConfig::source>("SOURCE", value) == value);
    CHECK(stored_in_share<&ShareConfig::target>("TARGET", value) == value);
    CHECK(stored_in_share<&ShareConfig::mount>("MOUNT", value) == value);
  }
  CHECK(stored<&Config::persist>("PERSIST", "1"));
  CHECK_FALSE(stored<&Config::cloud_init>("CLOUD_INIT", "0"));
  CHECK(stored<&Config::no_console>("NO_CONSOLE", "1"));
  CHECK(stored<&Config::log_verbose>("LOG_VERBOSE", "1"));
  CHECK(stored<&Config::log_format>("LOG_FORMAT", "json") == LogFormat::json);
  CHECK(stored_in_share<&ShareConfig::readonly>("READONLY", "1"));
  CHECK(stored_in_share<&ShareConfig::xattr>("XATTR", "1"));
  CHECK(stored_in_share<&ShareConfig::posix_acl>("POSIX_ACL", "1"));
  CHECK(stored_in_share<&ShareConfig::privileged_files>("PRIVILEGED_FILES", "1"));
  CHECK(stored_in_share<&ShareConfig::owner>("OWNER", "1000:100"));
  CHECK(stored_in_share<&ShareConfig::accessmode>("ACCESSMODE", "squash") == AccessMode::squash);
  CHECK(stored_in_share<&ShareConfig::cache>("CACHE", "always") == CacheMode::always);
}

TEST_CASE("the SSH port may have an address") {
  const std::vector<std::pair<std::string, SshForward>> table = {
      {"2222", {"", 2222}},
      {"0", {"", 0}},
      {"65535", {"", 65535}},
      {"127.0.0.1:2222", {"127.0.0.1", 2222}},
      {":2222", {"", 2222}},
      {"0.0.0.0:22", {"0.0.0.0", 22}},
      {"255.255.255.255:0", {"255.255.255.255", 0}},
  };
  for (const auto& [text, forward] : table) {
    CAPTURE(text);
    CHECK(stored<&Config::ssh_port>("SSH_PORT", text) == forward);
  }
  const std::string hint =
      "a port of this host, 0 to 65535 (0: no forward), or with an IPv4 address: 127.0.0.1:2222";
  for (const auto* text : {"65536", "-1", "ssh", "127.0.0.1:", "127.0.0.1:x", "2222 ", "22,23"}) {
    CAPTURE(text);
    CHECK(refusal("SSH_PORT", text) == Invalid{"not a port", hint});
  }
  for (const auto* text : {"[::1]:2222", "::1:2222", "localhost:22", "127.0.0:22", "1.2.3.4.5:22",
                           "1.2.3.256:22", "010.0.0.1:22", "1..2.3:22", "1.2.3.:22", " 1.2.3.4:22",
                           "127.0.0.1,hostfwd=x:22", "tcp://10.0.0.1:22"}) {
    CAPTURE(text);
    CHECK(refusal("SSH_PORT", text) == Invalid{"not an IPv4 address", hint});
  }
}

TEST_CASE("an unknown word is refused in the words of libvirt with the nearest and all others") {
  CHECK(share_refusal("ACCESSMODE", "maped") ==
        Invalid{"Invalid value for attribute 'accessmode'",
                "did you mean 'mapped'? one of: passthrough, mapped, squash"});
  CHECK(share_refusal("DRIVER", "VirtioFS") ==
        Invalid{"Invalid value for attribute 'driver'",
                "did you mean 'virtiofs'? one of: virtiofs, 9p, auto"});
  CHECK(share_refusal("DRIVER", "nfs") ==
        Invalid{"Invalid value for attribute 'driver'", "one of: virtiofs, 9p, auto"});
  CHECK(share_refusal("MULTIDEVS", "x").message == "Invalid value for attribute 'multidevs'");
  CHECK(share_refusal("WRPOLICY", "x") ==
        Invalid{"Invalid value for attribute 'wrpolicy'", "one of: immediate"});
  CHECK(share_refusal("CACHE", "x").message == "Invalid value for attribute 'cache'");
  CHECK(share_refusal("SANDBOX", "x").message == "Invalid value for attribute 'sandbox'");
  CHECK(refusal("ACCEL", "hvf") ==
        Invalid{"Invalid value for attribute 'accel'", "one of: auto, kvm, tcg"});
  for (const auto& value : hostile) {
    for (const auto* name : {"DRIVER", "ACCESSMODE", "CACHE", "SANDBOX", "MULTIDEVS", "WRPOLICY"}) {
      CAPTURE(name);
      CHECK(share_refusal(name, value).message ==
            "Invalid value for attribute '" + ascii_lower(name) + "'");
    }
  }
}

TEST_CASE("modes and sizes are refused in the words of libvirt") {
  const std::string octal = "permission bits in octal, 0 to 0777";
  CHECK(share_refusal("FMODE", "01777") == Invalid{"invalid fmode: '01777'", octal});
  CHECK(share_refusal("FMODE", "0o1777") == Invalid{"invalid fmode: '01777'", octal});
  CHECK(share_refusal("FMODE", "0o") == Invalid{"Invalid value for attribute 'fmode'", octal});
  CHECK(share_refusal("FMODE", "0o8") == Invalid{"Invalid value for attribute 'fmode'", octal});
  CHECK(share_refusal("DMODE", "7777") == Invalid{"invalid dmode: '7777'", octal});
  CHECK(share_refusal("FMODE", "888") == Invalid{"Invalid value for attribute 'fmode'", octal});
  CHECK(share_refusal("DMODE", "rwx") == Invalid{"Invalid value for attribute 'dmode'", octal});
  CHECK(share_refusal("QUEUE_SIZE", "abc") ==
        Invalid{"cannot parse queue size 'abc' for virtiofs", "a whole number"});
  CHECK(share_refusal("THREAD_POOL_SIZE", "x") ==
        Invalid{"cannot parse thread pool size 'x' for virtiofs", "a whole number"});
  CHECK(share_refusal("THREAD_POOL_SIZE", "-1") ==
        Invalid{"cannot parse thread pool size '-1' for virtiofs", "a whole number"});
}

TEST_CASE("numbers outside their range are refused") {
  const std::string memory = "MiB, or a number with a unit: 2048, 512M, 2G";
  CHECK(refusal("MEMORY", "15") == Invalid{"below 16 MiB", memory});
  CHECK(refusal("MEMORY", "17T") == Invalid{"above 16 TiB", memory});
  CHECK(refusal("MEMORY", "lots") == Invalid{"not an amount of memory", memory});
  CHECK(refusal("CPUS", "0") == Invalid{"below 1", "a whole number from 1 to 255"});
  CHECK(refusal("CPUS", "256") == Invalid{"above 255", "a whole number from 1 to 255"});
  CHECK(refusal("STOP_TIMEOUT", "soon") ==
        Invalid{"not a number of seconds", "seconds, 0 to 86400, such as 8 or 0.5"});
  CHECK(refusal("PERSIST", "maybe") ==
        Invalid{"neither yes nor no", "one of: 1, true, yes, on, 0, false, no, off"});
  CHECK(refusal("EXTRA_ARGS", "-a 'b") ==
        Invalid{"a quote or a backslash at the end is left open", "close it"});
}

TEST_CASE("what this version cannot do is refused and never ignored") {
  const Invalid refused{"not supported by this version yet", "leave it out"};
  CHECK(refusal("DISK_SIZE", "20G") == refused);
  CHECK(refusal("PORT_FWD", "8080:80") == refused);
}

TEST_CASE("a text that is no value only marks its field") {
  const Origin origin{env, "FILESYSTEM_DRIVER", ""};
  const auto& driver = find(share_settings(), "DRIVER");
  ShareConfig share;
  CHECK(driver.store(share, {"9p", origin}) == std::nullopt);
  CHECK(driver.store(share, {"9pp", {}}) != std::nullopt);
  CHECK(share.driver == Given<Driver>{Driver::ninep, origin, true});
  CHECK(driver.store(share, {"virtiofs", origin}) == std::nullopt);
  CHECK(driver.store(share, {"", {}, true}) == std::nullopt);
  CHECK(share.driver == Given<Driver>{Driver::virtiofs, origin, true});
}

TEST_CASE("an empty text unsets a field") {
  Config config = default_config();
  const Origin origin{env, "GUEST_NAME", ""};
  CHECK(find(vm_settings(), "GUEST_NAME").store(config, {"", origin}) == std::nullopt);
  CHECK(config.guest_name == Given<std::string>{"", origin});
  ShareConfig share;
  share.fmode = {0644U, {}};
  CHECK(find(share_settings(), "FMODE").store(share, {"", origin}) == std::nullopt);
  CHECK(share.fmode == Given<std::optional<std::uint32_t>>{std::nullopt, origin});
}
