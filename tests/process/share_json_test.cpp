// SPDX-License-Identifier: MIT
// What `vm-runner args --format=json` prints of shares that are right, however they are named.
#include "support/fake_host.hpp"
#include "support/guest.hpp"
#include "support/hostile_values.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <unistd.h>

using namespace vmr::test;

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// What args printed, and its log; nothing else may have happened.
struct Printed {
  json::object object;
  std::vector<std::string> log;
};

Printed print_args(const FakeHost& host, const Launcher::Variables& settings) {
  Launcher launcher(host.settings(settings), {"args", "--format=json"});
  const auto finished = host.finish(launcher);
  REQUIRE(finished.status == 0);
  CHECK(host.starts_of("qemu") == 0);
  CHECK(host.starts_of("virtiofsd-1") == 0);
  return {json::parse(finished.output).as_object(), lines_of(finished.log)};
}

json::object share_object(int number, const std::string& source, const std::string& tag,
                          const std::string& driver) {
  json::object object = {{"index", number},
                         {"tag", tag},
                         {"source", source},
                         {"driver", driver},
                         {"readonly", false},
                         {"mount", "/mnt/" + tag},
                         {"accessmode", "passthrough"}};
  if (driver == "virtiofs") object["sandbox"] = "none";
  return object;
}

/// Enough for hostile_names().
bool is_utf8(const std::string& text) {
  return text.find('\xff') == text.npos;
}

/// A tag of each kind that breaks what quotes it wrongly.
std::vector<std::string> hostile_tags() {
  return {"a,b=c,,d",           "it's \"x\" $(y) `z`",  "100%s%n\\", "-rf #x",
          " two  blanks in it", "\xc3\xbc\xe4\xb8\xad", "*?[a]~"};
}

}  // namespace

TEST_CASE("share json: every setting of a share is in its object") {
  const FakeHost host;
  const auto source = host / "data";
  fs::create_directories(source);
  const auto printed = print_args(host, {{"FILESYSTEM2_SOURCE", source},
                                         {"FILESYSTEM2_DRIVER", "virtiofs"},
                                         {"FILESYSTEM2_READONLY", "yes"},
                                         {"FILESYSTEM2_SANDBOX", "none"},
                                         {"FILESYSTEM2_MOUNT", "/srv//data/"},
                                         {"FILESYSTEM7_SOURCE", source + "/./"},
                                         {"FILESYSTEM7_TARGET", "t"},
                                         {"FILESYSTEM7_DRIVER", "9p"},
                                         {"FILESYSTEM7_ACCESSMODE", "mapped"}});
  auto virtiofs = share_object(2, source, "data", "virtiofs");
  virtiofs["readonly"] = true;
  virtiofs["mount"] = "/srv/data";
  auto ninep = share_object(7, source, "t", "9p");
  ninep["accessmode"] = "mapped";
  CHECK(printed.object.at("shares") == json::array{virtiofs, ninep});
}

TEST_CASE("share json: hostile tags and mount folders are whole") {
  const FakeHost host;
  Launcher::Variables settings;
  json::array expected;
  int number = 0;
  for (const std::string driver : {"9p", "virtiofs"}) {
    for (const auto& tag : hostile_tags()) {
      const auto source = host / fmt::format("s{}", ++number);
      const auto name = driver + tag;
      fs::create_directories(source);
      settings = join(settings, share(number, {{"SOURCE", source},
                                               {"TARGET", name},
                                               {"DRIVER", driver},
                                               {"MOUNT", "/srv/" + name + "%"}}));
      if (driver == "virtiofs") settings = join(settings, share(number, {{"SANDBOX", "none"}}));
      auto object = share_object(number, source, name, driver);
      object["mount"] = "/srv/" + name + "%";
      expected.push_back(object);
    }
  }
  const auto printed = print_args(host, settings);
  CHECK(printed.object.at("shares") == expected);
  CHECK(printed.log == std::vector<std::string>{});
}

TEST_CASE("share json: hostile sources are whole where they are UTF-8") {
  const FakeHost host;
  Launcher::Variables settings;
  json::array expected;
  int number = 0;
  for (const auto& name : hostile_names()) {
    if (!is_utf8(name)) continue;
    const auto source = host / name;
    const auto tag = fmt::format("t{}", ++number);
    fs::create_directories(source);
    settings =
        join(settings, share(number, {{"SOURCE", source}, {"TARGET", tag}, {"DRIVER", "9p"}}));
    expected.push_back(share_object(number, source, tag, "9p"));
  }
  const auto printed = print_args(host, settings);
  CHECK(printed.object.at("shares") == expected);
  CHECK(printed.log == std::vector<std::string>{});
}

TEST_CASE("share json: what is not UTF-8 is replaced, and the rest stays") {
  const FakeHost host;
  const auto source = host / "a\xff, \xc3\xbc \xed\xa0\x80";
  fs::create_directories(source);
  const auto printed =
      print_args(host, join(FakeHost::virtiofs_share(1, source), {{"FILESYSTEM_TARGET", "t\xfe"}}));
  const auto shown = host / "a\xef\xbf\xbd, \xc3\xbc ";
  const auto& share = printed.object.at("shares").at(0);
  CHECK(share.at("source").as_string().starts_with(shown + "\xef\xbf\xbd"));
  CHECK(share.at("tag") == "t\xef\xbf\xbd");
  CHECK(share.at("mount") == "/mnt/t\xef\xbf\xbd");
  CHECK(json::serialize(printed.object.at("helpers")).find(shown) != std::string::npos);
}

TEST_CASE("share json: sources that show the same files are warned of") {
  const FakeHost host;
  const auto outer = host / "outer";
  const auto inner = outer + "/inner";
  const auto link = host / "link";
  fs::create_directories(inner);
  fs::create_symlink(inner, link);
  const auto printed =
      print_args(host, join(share(1, {{"SOURCE", outer}, {"DRIVER", "9p"}}),
                            join(share(2, {{"SOURCE", link}, {"DRIVER", "9p"}}),
                                 share(3, {{"SOURCE", inner}, {"DRIVER", "9p"}}))));
  const std::string twice = ": the guest sees the same files twice";
  CHECK(printed.log ==
        std::vector<std::string>{
            fmt::format("[WARN] Filesystem #2: '{}' is inside '{}' (filesystem #1){}", link, outer,
                        twice),
            fmt::format("[WARN] Filesystem #3: '{}' is inside '{}' (filesystem #1){}", inner, outer,
                        twice)});
}

TEST_CASE("share json: auto says what it took and why") {
  const FakeHost host;
  const auto settings = [&](const Launcher::Variables& more) {
    return join(share(1, {{"SOURCE", host / "data"}, {"DRIVER", "auto"}}), more);
  };
  const auto ninep = print_args(host, settings({{"FILESYSTEM_WRPOLICY", "immediate"}}));
  CHECK(ninep.object.at("shares") == json::array{share_object(1, host / "data", "data", "9p")});
  CHECK(ninep.log == std::vector<std::string>{"[INFO] Filesystem #1: driver=auto uses 9p: virtiofs "
                                              "does not support wrpolicy (FILESYSTEM_WRPOLICY)"});
  const auto virtiofs = print_args(host, settings({{"FILESYSTEM_SANDBOX", "none"}}));
  CHECK(virtiofs.object.at("shares") ==
        json::array{share_object(1, host / "data", "data", "virtiofs")});
  CHECK(virtiofs.log == std::vector<std::string>{
                            "[INFO] Filesystem #1: driver=auto uses virtiofs: sandbox can only be "
                            "used with driver=virtiofs (FILESYSTEM_SANDBOX)"});
}

TEST_CASE("share json: a socket path over 107 bytes gets a shorter runtime folder") {
  const FakeHost host;
  const auto deep = host / std::string(100, 'd');
  fs::create_directories(deep);
  const auto printed =
      run_launcher(host.settings(join(FakeHost::virtiofs_share(1, host / "data"),
                                      {{"XDG_RUNTIME_DIR", deep}, {"GUEST_NAME", "share-json"}})),
                   {"args", "--format=shell"});
  const auto socket = fmt::format("/tmp/vm-runner-{}/share-json/virtiofsd-1.sock", ::geteuid());
  CHECK(printed.output.find(" 7@" + socket + " -- ") != std::string::npos);
  CHECK(fs::is_empty(deep));
}
