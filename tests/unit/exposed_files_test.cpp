// SPDX-License-Identifier: MIT
#include "config/load.hpp"
#include "spec/shares.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vmr::test {
namespace {

Host host_with_files() {
  auto host = docker_host();
  host.guest = GuestImage{"d", "", "", "/vms/a/top.qcow2", "qcow2", "", ""};
  host.files["/vms/a/top.qcow2"] = regular_file();
  host.files["/vms/a/top.qcow2"].backing = "/vms/a/b/base";
  host.files["/vms/a/b/base"] = regular_file();
  for (const auto* path : {"/vms", "/vms/a", "/vms/a/b", "/vms/a/b/c", "/vms/other", "/data",
                           "/data/share", "/run", "/run/vm-runner/vm", "/share"}) {
    host.files[path] = folder();
  }
  return host;
}

/// What is said of a writable share of `source`; empty: nothing.
std::string said_of(const std::string& source, const Strings& more = {},
                    const Host& host = host_with_files()) {
  Strings settings = {"FILESYSTEM_SOURCE=" + source, "BASE_IMAGE=/vms/a/top.qcow2", "ACCEL=tcg"};
  settings.insert(settings.end(), more.begin(), more.end());
  for (const auto& problem : resolve_settings(settings, host).problems) {
    if (problem.message.starts_with("FILESYSTEM_SOURCE=")) return problem.message;
  }
  return {};
}

TEST_CASE("a share with the guest's own disk in it is refused, with the way out") {
  CHECK(judge({"FILESYSTEM_SOURCE=/vms/a", "BASE_IMAGE=/vms/a/top.qcow2"}, host_with_files())
            .problems ==
        std::vector<Problem>{
            {"FILESYSTEM_SOURCE='/vms/a': it has BASE_IMAGE in it, '/vms/a/top.qcow2'; it has the "
             "image behind the guest's disk in it, '/vms/a/b/base': what the guest writes there "
             "decides what the next start opens",
             "FILESYSTEM_SOURCE (environment)",
             "share another folder, put that elsewhere, or set FILESYSTEM_READONLY=1; "
             "ALLOW_IN_SHARE=image lets the guest decide it"}});
}

TEST_CASE("what decides of a guest's start is not handed to it") {
  const auto is_refused = [](const std::string& said, const std::string& what) {
    return said.find(what) != std::string::npos;
  };
  CHECK(is_refused(said_of("/vms"), "BASE_IMAGE"));
  CHECK(is_refused(said_of("/vms/a/b"), "the image behind the guest's disk"));
  CHECK(is_refused(said_of("/run"), "the runtime directory"));
  CHECK(is_refused(said_of("/run/vm-runner/vm"), "it is in the runtime directory"));
  const Strings kept = {"PERSIST=1", "PERSIST_BASE=overlay", "DATA_DIR=/data", "GUEST_PASSWORD=x"};
  CHECK(is_refused(said_of("/data", kept), "DATA_DIR"));
  CHECK(is_refused(said_of("/data", {"DATA_DIR=/data"}), "DATA_DIR"));
  // What is beside them, or below, shows the guest none of it.
  for (const auto* source : {"/vms/other", "/vms/a/b/c", "/share", "/data"}) {
    CHECK(said_of(source) == "");
  }
  CHECK(said_of("/data/share", kept) == "");
  CHECK(said_of("/vms", {"FILESYSTEM_READONLY=1"}) == "");
}

TEST_CASE("neither links nor other mounts hide what is in a share") {
  auto host = host_with_files();
  host.files["/share"].real_path = "/vms/a";
  CHECK(said_of("/share", {}, host) != "");
  host = host_with_files();
  host.files["/vms/a/top.qcow2"].real_path = "/share/disks/top.qcow2";
  CHECK(said_of("/share", {}, host) != "");
  host = host_with_files();
  host.files["/share"].place = "8:1 /srv";
  host.files["/vms/a/top.qcow2"].place = "8:1 /srv/vms/top.qcow2";
  CHECK(said_of("/share", {}, host) != "");
  host.files["/share"].place = "8:2 /srv";
  CHECK(said_of("/share", {}, host) == "");
}

/// A path of each kind, the settings that make it count, and its word; empty: nothing allows it.
struct Kind {
  std::string path;
  std::string what;
  std::string word;
  Strings settings{};
};

const std::vector<Kind> kinds = {
    {"/p/vm.toml", "the configuration file", "config"},
    {"/p/img/disk", "BASE_IMAGE", "image", {"BASE_IMAGE=/p/img"}},
    {"/p/img/guest.toml", "the guest's guest.toml", "image", {"BASE_IMAGE=/p/img"}},
    {"/p/a/top.qcow2", "the guest's disk", "image"},
    {"/p/base/b", "the image behind the guest's disk", "image"},
    {"/p/g/vmlinuz", "the guest's kernel", "kernel"},
    {"/p/g/initrd", "the guest's initrd", "kernel"},
    {"/p/k", "KERNEL", "kernel", {"KERNEL=/p/k"}},
    {"/work/k", "KERNEL", "kernel", {"KERNEL=k"}},
    {"/work/i, 'ü'\n%s", "INITRD", "kernel", {"INITRD=i, 'ü'\n%s"}},
    {"/root/user-data", "CLOUD_INIT_USER_DATA", "user-data", {"CLOUD_INIT_USER_DATA=~/user-data"}},
    {"/pw/pw", "GUEST_PASSWORD_FILE", "user-data", {"GUEST_PASSWORD_FILE=/pw/pw"}},
    {"/p/data/x", "DATA_DIR", "data", {"DATA_DIR=/p/data/x"}},
    {"/run/vm-runner", "the runtime directory", ""},
    {"/t/tmp", "the temporary directory", "temporary"},
    {"/root/.cache/vm-runner", "the cache directory", "cache"},
    {"/root/.config/qemu", "the directory that names virtiofsd", "programs"},
    {"/p/bin/qemu", "QEMU", "programs"},
    {"/p/lib/virtiofsd", "virtiofsd", "programs"},
    {"/p/sbin/qemu-img", "a program", "programs"},
    {"/o/own.img",
     "a file of your own QEMU arguments",
     "arguments",
     {"EXTRA_ARGS=-hda /o/own.img"}},
    {"/ob/own-base",
     "the image behind a disk of your own QEMU arguments",
     "arguments",
     {"EXTRA_ARGS=-hda /o/own.img"}},
    {"/b/board.dtb",
     "a file of your own QEMU arguments",
     "arguments",
     {"EXTRA_ARGS=-dtb /b/board.dtb"}},
    {"/l/log",
     "a file of your own QEMU arguments",
     "arguments",
     {"EXTRA_ARGS=-chardev file,id=c,path=/l/log"}},
};

/// What else the user's own arguments can name, in every notation.
const Strings own_arguments = {
    "-bios /own/x",
    "-kernel /own/x",
    "-initrd /own/x",
    "-dtb /own/x",
    "-pflash /own/x",
    "-L /own/x",
    "-M q35,firmware=/own/x",
    "-machine q35,kernel=/own/x",
    "-device loader,file=/own/x",
    "-device virtio-net-pci,romfile=/own/x",
    "-option-rom /own/x",
    "-acpitable file=/other:/own/x",
    "-smbios file=/own/x",
    "-fw_cfg name=opt/a,file=/own/x",
    "-object secret,id=s,file=/own/x",
    "-netdev tap,id=t,script=/own/x",
    "-netdev 'tap,id=t,helper=/own/x --br=b'",
    "-plugin /own/x",
    "-set device.d.romfile=/own/x",
    "-drive file=file:/own/x",
    "-drive file=fat:/own/x",
    R"(-device '{"driver":"virtio-net-pci","romfile":"\u002fown\/x"}')",
    R"(-blockdev '{"driver":"raw","file":{"driver":"file","filename":"/own/x"}}')",
};

Host host_of_kinds() {
  auto host = docker_host();
  host.guest = GuestImage{"d", "/p/g/vmlinuz", "/p/g/initrd", "/p/a/top.qcow2", "qcow2", "", ""};
  host.guest_toml = "/p/img/guest.toml";
  host.files["/p/a/top.qcow2"].backing = "/p/base/b";
  host.files["/o/own.img"].backing = "/ob/own-base";
  host.temporary_folder = "/t/tmp";
  host.cache_folder = "/root/.cache/vm-runner";
  host.description_folder = "/root/.config/qemu";
  host.qemu = "/p/bin/qemu";
  host.virtiofsd->path = "/p/lib/virtiofsd";
  host.programs = {"/p/sbin/qemu-img"};
  return host;
}

/// What is said of a share of the folder that `kind` is in, at a start or of one that is added.
Strings said_of_kind(const Kind& kind, const std::string& source, Strings more, bool is_added) {
  auto host = host_of_kinds();
  host.files[source] = folder();
  more.push_back("FILESYSTEM3_SOURCE=" + source);
  more.insert(more.end(), kind.settings.begin(), kind.settings.end());
  const auto config = load_config({}, more, {"/p/vm.toml", ""}).config;
  const auto problems =
      is_added ? resolve_added_share(config, {}, host).problems : resolve(config, host).problems;
  Strings said;
  for (const auto& problem : problems) {
    if (problem.message.starts_with("FILESYSTEM3_SOURCE=")) {
      said.push_back(problem.message + "\n" + problem.hint);
    }
  }
  return said;
}

TEST_CASE(
    "every kind of path that decides a start is kept from the guest, also from later shares") {
  for (const auto& kind : kinds) {
    CAPTURE(kind.path);
    const auto source = kind.path.substr(0, kind.path.rfind('/'));
    for (const bool is_added : {false, true}) {
      CAPTURE(is_added);
      const auto said = said_of_kind(kind, source, {}, is_added);
      REQUIRE(said.size() == 1);
      const auto exposed = "it has " + kind.what + " in it, '" + kind.path + "'";
      const bool is_image = kind.what == "BASE_IMAGE";
      CHECK(said[0].find(is_image ? "it has BASE_IMAGE in it, '/p/img'" : exposed) !=
            std::string::npos);
      CHECK((said[0].find("ALLOW_IN_SHARE=") == std::string::npos) == kind.word.empty());
      CHECK(said_of_kind(kind, source, {"FILESYSTEM3_READONLY=1"}, is_added) == Strings{});
      CHECK(said_of_kind(kind, "/elsewhere", {}, is_added) == Strings{});
      // Another word allows nothing of this one.
      const std::string all =
          "config,image kernel,user-data, arguments data temporary,cache programs";
      CHECK(said_of_kind(kind, source, {"ALLOW_IN_SHARE=" + all}, is_added).empty() ==
            !kind.word.empty());
    }
  }
}

TEST_CASE("whatever the user's own arguments name decides a start, be it there or not") {
  for (const auto& arguments : own_arguments) {
    CAPTURE(arguments);
    const Kind kind{"", "", "", {"EXTRA_ARGS=" + arguments}};
    const auto said = said_of_kind(kind, "/own", {}, false);
    REQUIRE(said.size() == 1);
    CHECK(said[0].find("it has a file of your own QEMU arguments in it, '/") != std::string::npos);
    CHECK(said_of_kind(kind, "/own", {"ALLOW_IN_SHARE=arguments"}, false) == Strings{});
  }
  const Kind relative{"", "", "", {"EXTRA_ARGS=-bios x.bin"}};
  CHECK(said_of_kind(relative, "/work", {}, false).size() == 1);
  const Kind unread{"", "", "", {"EXTRA_ARGS=-readconfig /etc/x"}};
  CHECK(said_of_kind(unread, "/work", {}, false).size() == 1);
  CHECK(said_of_kind({"", "", "", {"EXTRA_ARGS=-append a=/own/x"}}, "/own", {}, false).empty());
}

TEST_CASE(
    "a word of ALLOW_IN_SHARE allows what it names, and the hint keeps those that are there") {
  const Kind kind{"/root/.cache/vm-runner", "", "", {}};
  CHECK(said_of_kind(kind, "/root", {"ALLOW_IN_SHARE=kernel"}, false) ==
        Strings{"FILESYSTEM3_SOURCE='/root': it has the cache directory in it, "
                "'/root/.cache/vm-runner'; it has the directory that names virtiofsd in it, "
                "'/root/.config/qemu': what the guest writes there decides what the next start "
                "opens\nshare another folder, put that elsewhere, or set FILESYSTEM3_READONLY=1; "
                "ALLOW_IN_SHARE=kernel,cache,programs lets the guest decide it"});
  CHECK(said_of_kind(kind, "/root", {"ALLOW_IN_SHARE=cache,programs"}, false) == Strings{});
  CHECK(load_config({}, {"ALLOW_IN_SHARE=config, imag"}, {}).problems ==
        std::vector<Problem>{{"ALLOW_IN_SHARE='config, imag': Invalid value for attribute "
                              "'allow_in_share'",
                              "ALLOW_IN_SHARE (environment)",
                              "did you mean 'image'? one of: config, image, kernel, user-data, "
                              "arguments, data, temporary, cache, programs, source"}});
}

TEST_CASE("the line that names a path is told, and many are counted") {
  auto host = host_of_kinds();
  host.files["/p"] = folder();
  host.temporary_folder = "/p/tmp";
  const auto config =
      load_config({}, {"FILESYSTEM_SOURCE=/p"}, {"/p/vm.toml", "\nkernel = '/p/k'\n"}).config;
  const auto problems = resolve(config, host).problems;
  const auto found = std::find_if(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.message.starts_with("FILESYSTEM_SOURCE=");
  });
  REQUIRE(found != problems.end());
  CHECK(found->message ==
        "FILESYSTEM_SOURCE='/p': it has the configuration file in it, '/p/vm.toml'; it has KERNEL "
        "in it, '/p/k' (/p/vm.toml:2); it has the temporary directory in it, '/p/tmp'; it has QEMU "
        "in it, '/p/bin/qemu'; it has virtiofsd in it, '/p/lib/virtiofsd'; and 1 more: what the "
        "guest writes there decides what the next start opens");
}

TEST_CASE("a share in a folder whose contents decide is refused too") {
  CHECK(said_of("/root/.cache/vm-runner/x", {}, host_of_kinds()) ==
        "FILESYSTEM_SOURCE='/root/.cache/vm-runner/x': it is in the cache directory, "
        "'/root/.cache/vm-runner': what the guest writes there decides what the next start opens");
  CHECK(said_of("/t/tmp/x", {}, host_of_kinds()) == "");
}

TEST_CASE(
    "a link in a share that leads out of it counts, and so does a folder that is left again") {
  auto host = host_with_files();
  host.files["/vms/a/top.qcow2"].passed = {"8:1 /share/link", "/share/link"};
  CHECK(said_of("/share", {}, host) ==
        "FILESYSTEM_SOURCE='/share': it has a part of the way to BASE_IMAGE in it, "
        "'/vms/a/top.qcow2': what the guest writes there decides what the next start opens");
  host.files["/share"].real_path = "/elsewhere";
  CHECK(said_of("/share", {}, host) == "");
  host.files["/share"].place = "8:1 /share";
  CHECK(said_of("/share", {}, host) != "");
  // The shared folder itself stays where it is: "/share/../vms/a/top.qcow2".
  host = host_with_files();
  host.files["/vms/a/top.qcow2"].passed = {"/share"};
  CHECK(said_of("/share", {}, host) == "");
}

TEST_CASE("what is mounted in a share is in it, by whichever mount it is named") {
  auto host = host_with_files();
  host.files["/share"].mounts_below = {"8:2 /vms"};
  CHECK(said_of("/share", {}, host) == "");
  host.files["/vms/a/top.qcow2"].place = "8:2 /vms/a/top.qcow2";
  CHECK(said_of("/share", {}, host) != "");
}

TEST_CASE("a share that is added is looked at in the same way") {
  const auto host = host_with_files();
  const auto config =
      load_config({}, {"FILESYSTEM5_SOURCE=/vms/a", "BASE_IMAGE=/vms/a/top.qcow2"}, {}).config;
  const auto added = resolve_added_share(config, {}, host);
  REQUIRE(added.problems.size() == 1);
  CHECK(added.problems[0].message.starts_with(
      "FILESYSTEM5_SOURCE='/vms/a': it has BASE_IMAGE in it"));
}

TEST_CASE("libraries and data of programs are not handed to a guest") {
  auto host = host_with_files();
  host.program_folders = {"/usr/share/qemu"};
  for (const auto* path : {"/usr/share/qemu", "/usr/share/qemu/vhost-user", "/usr/share"}) {
    host.files[path] = folder();
    CHECK(said_of(path, {}, host) != "");
    CHECK(said_of(path, {"ALLOW_IN_SHARE=programs"}, host) == "");
  }
  CHECK(said_of("/usr/share/qemu/vhost-user", {}, host) ==
        "FILESYSTEM_SOURCE='/usr/share/qemu/vhost-user': it is in the libraries or data of "
        "programs, '/usr/share/qemu': what the guest writes there decides what the next start "
        "opens");
  host.files["/usr/share/doc"] = folder();
  CHECK(said_of("/usr/share/doc", {}, host) == "");
}

TEST_CASE("the guest of one share does not decide where another one leads") {
  auto host = host_with_files();
  host.files["/vms/other/link"] = folder();
  host.files["/vms/other/link"].real_path = "/closed";
  host.files["/vms/other/link"].passed = {"/vms/other/link"};
  const auto said = [&](const Strings& more) {
    Strings settings = {"FILESYSTEM_SOURCE=/vms/other", "FILESYSTEM2_SOURCE=/vms/other/link"};
    settings.insert(settings.end(), more.begin(), more.end());
    return judge(settings, host).problems;
  };
  CHECK(said({}) ==
        std::vector<Problem>{
            {"FILESYSTEM2_SOURCE='/vms/other/link': a part of the way to it is in '/vms/other' "
             "(filesystem #1): the guest decides where that leads",
             "FILESYSTEM2_SOURCE (environment)",
             "name folders by the paths that they really have (realpath), or share read-only; "
             "ALLOW_IN_SHARE=source lets the guest decide it"}});
  CHECK(said({"FILESYSTEM_READONLY=1"}).empty());
  CHECK(said({"ALLOW_IN_SHARE=cache,source"}).empty());
  // Whichever is named first.
  const auto turned =
      judge({"FILESYSTEM_SOURCE=/vms/other/link", "FILESYSTEM2_SOURCE=/vms/other"}, host).problems;
  REQUIRE(turned.size() == 1);
  CHECK(turned[0].message ==
        "FILESYSTEM2_SOURCE='/vms/other': it has a part of the way to '/vms/other/link' "
        "(filesystem #1) in it: the guest decides where that leads");
  // A folder that `..` leaves is in the share itself.
  host.files["/vms/other"].passed = {"/vms/other/in"};
  CHECK(judge({"FILESYSTEM_SOURCE=/vms/other"}, host).problems.size() == 1);
  host.files["/vms/other"].passed = {};

  const auto config = load_config({}, {"FILESYSTEM5_SOURCE=/vms/other/link"}, {}).config;
  Share present;
  present.source = "/vms/other";
  CHECK(resolve_added_share(config, {present}, host).problems.size() == 1);
  present.readonly = true;
  CHECK(resolve_added_share(config, {present}, host).problems.empty());
}

TEST_CASE("in a container a source that is no mount is lost with it, whoever owns it") {
  auto host = docker_host();
  host.files["/share"].on_root_mount = true;
  host.files["/share"].mode = 0700;
  CHECK(
      judge({"FILESYSTEM_SOURCE=/share"}, host) ==
      Verdict{{},
              {"Filesystem #1: '/share' is no mount but the container's own layer: what the guest "
               "writes there is lost with the container (docker run -v FOLDER:/share keeps it)"}});
  CHECK(judge({"FILESYSTEM_SOURCE=/share", "FILESYSTEM_READONLY=1"}, host) == Verdict{});
  // The root of other containers may stay, unless it is made of layers.
  const auto warns = [&](Surroundings surroundings, bool has_layers) {
    host.surroundings = surroundings;
    host.files["/share"].root_has_layers = has_layers;
    const auto warnings = judge({"FILESYSTEM_SOURCE=/share"}, host).warnings;
    return std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
      return warning.find("own layer") != warning.npos;
    });
  };
  CHECK(warns(Surroundings::podman, false));
  CHECK(warns(Surroundings::container, true));
  CHECK_FALSE(warns(Surroundings::container, false));
  CHECK_FALSE(warns(Surroundings::machine, true));
}

}  // namespace
}  // namespace vmr::test
