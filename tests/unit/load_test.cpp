// SPDX-License-Identifier: MIT
#include "config/load.hpp"

#include <doctest/doctest.h>

using namespace vmr;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Problems = std::vector<Problem>;

namespace {

Origin by_default(const std::string& variable) {
  return {Source::default_value, variable, ""};
}
Origin in_environment(const std::string& variable) {
  return {Source::environment, variable, ""};
}

Arguments with_settings(const Strings& assignments) {
  Arguments arguments;
  arguments.assignments = assignments;
  return arguments;
}

LoadedConfig load(const Strings& environment, const std::string& toml = "",
                  const Strings& assignments = {}) {
  auto loaded = load_config(with_settings(assignments), environment, {"vm.toml", toml});
  CHECK(loaded.config.config_file == "vm.toml");
  loaded.config.config_file.clear();
  return loaded;
}

/// Share `number` when only its source is given, in the environment.
ShareConfig share_with(int number, const std::string& source) {
  const std::string prefix = "FILESYSTEM" + (number == 1 ? "" : std::to_string(number)) + "_";
  ShareConfig share;
  share.number = number;
  share.origin = in_environment(prefix + "SOURCE");
  share.source = {source, in_environment(prefix + "SOURCE")};
  share.target = {"", by_default(prefix + "TARGET")};
  share.driver = {Driver::virtiofs, by_default(prefix + "DRIVER")};
  share.accessmode = {AccessMode::passthrough, by_default(prefix + "ACCESSMODE")};
  share.readonly = {false, by_default(prefix + "READONLY")};
  share.mount = {"", by_default(prefix + "MOUNT")};
  share.cache = {CacheMode::automatic, by_default(prefix + "CACHE")};
  share.fmode = {std::nullopt, by_default(prefix + "FMODE")};
  share.dmode = {std::nullopt, by_default(prefix + "DMODE")};
  share.multidevs = {std::nullopt, by_default(prefix + "MULTIDEVS")};
  share.wrpolicy = {std::nullopt, by_default(prefix + "WRPOLICY")};
  share.sandbox = {Sandbox::automatic, by_default(prefix + "SANDBOX")};
  share.queue_size = {std::nullopt, by_default(prefix + "QUEUE_SIZE")};
  share.thread_pool_size = {std::nullopt, by_default(prefix + "THREAD_POOL_SIZE")};
  share.xattr = {false, by_default(prefix + "XATTR")};
  share.posix_acl = {false, by_default(prefix + "POSIX_ACL")};
  share.privileged_files = {false, by_default(prefix + "PRIVILEGED_FILES")};
  share.owner.origin = by_default(prefix + "OWNER");
  return share;
}

}  // namespace

TEST_CASE("when nobody says anything every value is the default and names its variable") {
  Config expected;
  expected.memory = {4096, by_default("MEMORY")};
  expected.cpus = {2, by_default("CPUS")};
  expected.base_image = {"", by_default("BASE_IMAGE")};
  expected.kernel = {"", by_default("KERNEL")};
  expected.initrd = {"", by_default("INITRD")};
  expected.cmdline = {"", by_default("CMDLINE")};
  expected.accel = {Accelerator::automatic, by_default("ACCEL")};
  expected.require_kvm = {false, by_default("REQUIRE_KVM")};
  expected.cpu_model = {"", by_default("CPU_MODEL")};
  expected.machine.origin = by_default("MACHINE");
  expected.arch.origin = by_default("ARCH");
  expected.guest_name = {"vm", by_default("GUEST_NAME")};
  expected.guest_password = {"", by_default("GUEST_PASSWORD")};
  expected.guest_password_file = {"", by_default("GUEST_PASSWORD_FILE")};
  expected.ssh_port = {{"", 2222}, by_default("SSH_PORT")};
  expected.network = {Network::open, by_default("NETWORK")};
  expected.ssh_pubkey = {"", by_default("SSH_PUBKEY")};
  expected.persist = {false, by_default("PERSIST")};
  expected.persist_base = {PersistBase::automatic, by_default("PERSIST_BASE")};
  expected.backing_dir = {"", by_default("BACKING_DIR")};
  expected.data_dir = {"", by_default("DATA_DIR")};
  expected.cloud_init = {true, by_default("CLOUD_INIT")};
  expected.cloud_init_user_data = {"", by_default("CLOUD_INIT_USER_DATA")};
  expected.no_console = {false, by_default("NO_CONSOLE")};
  expected.extra_args = {{}, by_default("EXTRA_ARGS")};
  expected.log_verbose = {false, by_default("LOG_VERBOSE")};
  expected.log_format = {LogFormat::text, by_default("LOG_FORMAT")};
  expected.stop_timeout = {std::nullopt, by_default("STOP_TIMEOUT")};
  expected.start_timeout = {std::nullopt, by_default("START_TIMEOUT")};
  expected.on_helper_exit = {HelperExitPolicy::stop, by_default("ON_HELPER_EXIT")};
  expected.hotplug_shares = {4, by_default("HOTPLUG_SHARES")};
  expected.qemu_user = {{}, by_default("QEMU_USER")};
  expected.allow_unknown_images = {false, by_default("ALLOW_UNKNOWN_IMAGES")};
  expected.allow_open_data_dir = {false, by_default("ALLOW_OPEN_DATA_DIR")};
  expected.allow_in_share.origin = by_default("ALLOW_IN_SHARE");
  CHECK(default_config() == expected);

  const auto loaded = load({});
  CHECK(loaded.config == expected);
  CHECK(loaded.problems == Problems{});
  CHECK(loaded.warnings == Strings{});
}

TEST_CASE("gaps in numbering are fine and shares come by number") {
  const auto loaded =
      load({"FILESYSTEM12_SOURCE=/c", "FILESYSTEM3_SOURCE=/b, 'x' $(y)\n", "FILESYSTEM_SOURCE=/a"});
  Config expected = default_config();
  expected.shares = {share_with(1, "/a"), share_with(3, "/b, 'x' $(y)\n"), share_with(12, "/c")};
  CHECK(loaded.config == expected);
  CHECK(loaded.problems == Problems{});
}

TEST_CASE("a share exists as soon as anything is said about it") {
  const auto loaded = load({"FILESYSTEM2_READONLY=1"});
  auto share = share_with(2, "");
  share.origin = in_environment("FILESYSTEM2_READONLY");
  share.source.origin = by_default("FILESYSTEM2_SOURCE");
  share.readonly = {true, in_environment("FILESYSTEM2_READONLY")};
  CHECK(loaded.config.shares == std::vector<ShareConfig>{share});
}

TEST_CASE("the command line wins over the environment over the file over the default") {
  const std::string toml = "memory = 100\ncpus = 3\nguest_name = 'f'\n";
  const auto loaded = load({"MEMORY=200", "CPUS=4"}, toml, {"memory=300", "MEMORY=1G"});
  Config expected = default_config();
  expected.memory = {1024, {Source::command_line, "MEMORY", "--set MEMORY=1G"}};
  expected.cpus = {4, in_environment("CPUS")};
  expected.guest_name = {"f", {Source::file, "GUEST_NAME", "vm.toml:3"}};
  CHECK(loaded.config == expected);
  CHECK(loaded.problems == Problems{});
}

TEST_CASE("shares of all sources meet by number") {
  const auto loaded = load({"FILESYSTEM2_SOURCE=/b", "FILESYSTEM2_READONLY=1"},
                           "[[share]]\nsource = '/a'\n[[share]]\nsource = '/x'\nreadonly = false\n"
                           "driver = '9p'\n",
                           {"FileSystem2_Target=t", "filesystem4_source=/d"});
  REQUIRE(loaded.config.shares.size() == 3);
  auto second = share_with(2, "/b");
  second.origin = {Source::file, "[[share]]", "vm.toml:3"};
  second.readonly = {true, in_environment("FILESYSTEM2_READONLY")};
  second.driver = {Driver::ninep, {Source::file, "FILESYSTEM2_DRIVER", "vm.toml:6"}};
  second.target = {"t", {Source::command_line, "FILESYSTEM2_TARGET", "--set FileSystem2_Target=t"}};
  CHECK(loaded.config.shares[1] == second);
  CHECK(loaded.config.shares[0].source ==
        Given<std::string>{"/a", {Source::file, "FILESYSTEM_SOURCE", "vm.toml:2"}});
  CHECK(loaded.config.shares[2].number == 4);
  CHECK(loaded.problems == Problems{});
}

TEST_CASE("an empty variable leaves what the file says") {
  CHECK(load({"MEMORY="}, "memory = 100").config.memory.value == 100);
}

TEST_CASE("an empty value on the command line goes back to the default") {
  const auto loaded = load({"MEMORY=200", "EXTRA_ARGS=-S", "FILESYSTEM2_SOURCE=/b"},
                           "memory = 100\n[[share]]\nsource = '/a'\nreadonly = true\n",
                           {"MEMORY=", "extra_args=", "CPUS=", "FILESYSTEM_READONLY=",
                            "FILESYSTEM2_SOURCE=", "FILESYSTEM3_SOURCE="});
  Config expected = default_config();
  auto share = share_with(1, "/a");
  share.origin = {Source::file, "[[share]]", "vm.toml:2"};
  share.source.origin = {Source::file, "FILESYSTEM_SOURCE", "vm.toml:3"};
  expected.shares = {share};
  CHECK(loaded.config == expected);
  CHECK(loaded.problems == Problems{});
}

TEST_CASE("a share table without a source stays a share") {
  const auto loaded = load({}, "[[share]]\nsource = '/a'\n[[share]]\n");
  REQUIRE(loaded.config.shares.size() == 2);
  CHECK(loaded.config.shares[1].source ==
        Given<std::string>{"", {Source::file, "FILESYSTEM2_SOURCE", "vm.toml:3"}});
}

TEST_CASE("QEMU arguments are handed on") {
  Arguments arguments;
  arguments.qemu_args = {"-device", "a,b \"$(c)\"\n"};
  CHECK(load_config(arguments, {}, {}).config.qemu_args == arguments.qemu_args);
}

TEST_CASE("a value of another type leaves a marked default and a higher source mends it") {
  const std::string toml = "memory = [1]\n[[share]]\nsource = [1]\n";
  const auto wrong = load({}, toml);
  CHECK(wrong.config.memory == Given<std::uint64_t>{4096, by_default("MEMORY"), true});
  REQUIRE(wrong.config.shares.size() == 1);
  CHECK(wrong.config.shares[0].source ==
        Given<std::string>{"", by_default("FILESYSTEM_SOURCE"), true});
  CHECK(load({"MEMORY=16"}, toml).config.memory ==
        Given<std::uint64_t>{16, in_environment("MEMORY")});
}

TEST_CASE("every problem of every source is reported and the fields keep their defaults") {
  const auto loaded =
      load({"MEMORY=lots", "FILESYSTEM2_ACCESSMODE=mappd", "FILESYSTEM_ACESSMODE=x",
            "FILESYSTEM2_SOURCE=/b", "DISK_SIZE=20G", "EXTRA_ARG=-S"},
           "cpus = 0\ncolour = 1\n[[share]]\nsource = '/a'\nfmode = '01777'\nqueue_size = 'abc'\n",
           {"STOP_TIMEOUT=soon", "MEMROY=1", "nonsense"});
  Config expected = default_config();
  auto first = share_with(1, "/a");
  first.origin = {Source::file, "[[share]]", "vm.toml:3"};
  first.source.origin = {Source::file, "FILESYSTEM_SOURCE", "vm.toml:4"};
  first.fmode.invalid = first.queue_size.invalid = true;
  auto second = share_with(2, "/b");
  second.origin = in_environment("FILESYSTEM2_ACCESSMODE");
  second.accessmode.invalid = true;
  expected.shares = {first, second};
  expected.memory.invalid = expected.cpus.invalid = expected.stop_timeout.invalid = true;
  CHECK(loaded.config == expected);
  CHECK(loaded.warnings ==
        Strings{"EXTRA_ARG: unknown variable, ignored; did you mean EXTRA_ARGS?"});

  const Problems problems = {
      {"colour: unknown setting", "colour (vm.toml:2)", "vm-runner --help lists every setting"},
      {"FILESYSTEM_ACESSMODE: unknown variable", "FILESYSTEM_ACESSMODE (environment)",
       "did you mean FILESYSTEM_ACCESSMODE?"},
      {"MEMROY: unknown setting", "--set MEMROY", "did you mean MEMORY?"},
      {"--set nonsense: not of the form KEY=VALUE", "--set nonsense",
       "for example --set MEMORY=2G"},
      {"MEMORY='lots': not an amount of memory", "MEMORY (environment)",
       "MiB, or a number with a unit: 2048, 512M, 2G"},
      {"CPUS='0': below 1", "cpus (vm.toml:1)", "a whole number from 1 to 255"},
      {"DISK_SIZE='20G': not supported by this version yet", "DISK_SIZE (environment)",
       "leave it out"},
      {"STOP_TIMEOUT='soon': not a number of seconds", "STOP_TIMEOUT (--set STOP_TIMEOUT=soon)",
       "seconds, 0 to 86400, such as 8 or 0.5"},
      {"FILESYSTEM_FMODE='01777': invalid fmode: '01777'", "fmode (vm.toml:5)",
       "permission bits in octal, 0 to 0777"},
      {"FILESYSTEM_QUEUE_SIZE='abc': cannot parse queue size 'abc' for virtiofs",
       "queue_size (vm.toml:6)", "a whole number"},
      {"FILESYSTEM2_ACCESSMODE='mappd': Invalid value for attribute 'accessmode'",
       "FILESYSTEM2_ACCESSMODE (environment)",
       "did you mean 'mapped'? one of: passthrough, mapped, squash"},
  };
  REQUIRE(loaded.problems.size() == problems.size());
  for (std::size_t i = 0; i < problems.size(); ++i) {
    CAPTURE(loaded.problems[i].message);
    CHECK(loaded.problems[i] == problems[i]);
  }
}

TEST_CASE("a wrong text that a higher source overrides is no problem") {
  const auto loaded = load({"MEMORY=2G"}, "memory = 'lots'");
  CHECK(loaded.config.memory.value == 2048);
  CHECK(loaded.problems == Problems{});
}

TEST_CASE("a file that is no TOML does not hide the other sources") {
  const auto loaded = load({"CPUS=x"}, "memory = = 1\n", {"PERSIST=x"});
  REQUIRE(loaded.problems.size() == 3);
  CHECK(loaded.problems[0].origin == "vm.toml:1:10");
  CHECK(loaded.problems[1].message == "CPUS='x': not a whole number");
  CHECK(loaded.problems[2].message == "PERSIST='x': neither yes nor no");
}

TEST_CASE("secrets and what may be one are in no message and no origin") {
  const auto loaded = load(
      {"GUEST_PASWORD=hunter2", "GUEST_PASSWORD_=hunter2"},
      "guest_password = ['hunter2']\nguest_pasword = 'hunter2'\n",
      {"GUEST_PASWORD=hunter2", "guest_password:hunter2", "=hunter2", "guest_password=hunter2"});
  CHECK(loaded.problems.size() == 7);
  for (const auto& problem : loaded.problems) {
    const auto told = format(problem);
    CAPTURE(told);
    CHECK(told.find("hunter2") == told.npos);
  }
  CHECK(loaded.config.guest_password ==
        Given<std::string>{"hunter2",
                           {Source::command_line, "GUEST_PASSWORD", "--set guest_password=…"}});
}

TEST_CASE("assignments that are none are told without their values") {
  CHECK(load({}, "", {"=5", "", "a b", "GUEST_PASSWORD:x"}).problems ==
        Problems{
            {"--set …: not of the form KEY=VALUE", "--set …", "for example --set MEMORY=2G"},
            {"--set : not of the form KEY=VALUE", "--set ", "for example --set MEMORY=2G"},
            {"--set a…: not of the form KEY=VALUE", "--set a…", "for example --set MEMORY=2G"},
            {"--set GUEST_PASSWORD…: not of the form KEY=VALUE", "--set GUEST_PASSWORD…",
             "for example --set MEMORY=2G"},
        });
}

TEST_CASE("an assignment to a share that cannot be is a problem") {
  CHECK(load({}, "", {"filesystem1_source=/a"}).problems ==
        Problems{{"FILESYSTEM1_SOURCE: unknown setting", "--set filesystem1_source",
                  "did you mean FILESYSTEM_SOURCE?"}});
}

TEST_CASE("the log's format is known before there is a configuration") {
  const auto format = [](const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment) {
    return early_log_format(argv, environment);
  };
  CHECK(format({}, {}) == LogFormat::text);
  CHECK(format({}, {"MEMORY=lots", "LOG_FORMAT=json", "FILESYSTEM_X=1"}) == LogFormat::json);
  CHECK(format({}, {"LOG_FORMAT=xml"}) == LogFormat::text);
  CHECK(format({"run", "--set", "LOG_FORMAT=json"}, {}) == LogFormat::json);
  CHECK(format({"--nonsense", "--set=log_format=json", "--set", "X"}, {}) == LogFormat::json);
  CHECK(format({"--set", "LOG_FORMAT=text"}, {"LOG_FORMAT=json"}) == LogFormat::text);
  CHECK(format({"--", "--set", "LOG_FORMAT=json"}, {}) == LogFormat::text);
  CHECK(format({"--set"}, {}) == LogFormat::text);
}
