// SPDX-License-Identifier: MIT
// Parts of a libvirt domain that have to become something else, and that all of it is taken.
#include "base/shell_words.hpp"
#include "build_paths.hpp"
#include "config/load.hpp"
#include "libvirt/import_domain.hpp"
#include "support/hostile_values.hpp"
#include "support/hosts.hpp"
#include "support/imported_domain.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

Texts settings_of(const std::string& body) {
  return texts_of(imported(domain_with(body)).settings);
}

/// The arguments that the body becomes, one a line.
std::string arguments_of(const std::string& body) {
  std::string lines;
  const auto words = shell_split(settings_of(body)[{0, "EXTRA_ARGS"}]);
  for (const auto& word : *words) lines += word + "\n";
  return lines;
}

TEST_CASE("features that only libvirt knows are left out of the CPU, and told where they were on") {
  const auto cpu = [](const std::string& features) {
    const auto domain =
        imported(domain_with("<cpu mode='host-passthrough'>" + features + "</cpu>"));
    auto texts = texts_of(domain.settings);
    return texts[{0, "CPU_MODEL"}] +
           (notes_of(domain).find("only libvirt knows it") == std::string::npos ? "" : ", told");
  };
  const auto feature = [](const std::string& name, const std::string& policy) {
    return "<feature policy='" + policy + "' name='" + name + "'/>";
  };
  CHECK(cpu(feature("vmx", "require") + feature("sse4.2", "disable")) == "host,+vmx,-sse4.2");
  for (const std::string name :
       {"cmt", "cvt16", "mbm_local", "mbm_total", "ospke", "osxsave", "pconfig"}) {
    CAPTURE(name);
    CHECK(cpu(feature(name, "require") + feature("invtsc", "require")) == "host,+invtsc, told");
    CHECK(cpu(feature(name, "disable")) == "host");
  }
  const auto model = imported(domain_with(
      "<cpu><model>pentiumpro</model></cpu><devices><interface type='user'/></devices>"));
  CHECK(notes_of(model) ==
        "domain.xml:3: <model>pentiumpro</model>: not carried over: no QEMU has this CPU model any "
        "more; the default is used (CPU_MODEL)\n");
  CHECK(texts_of(model.settings).count({0, "CPU_MODEL"}) == 0);
  const auto arm = imported(
      "<domain type='kvm'><os><type arch='aarch64'>hvm</type><kernel>/k</kernel></os>"
      "<cpu mode='host-passthrough'><feature policy='require' name='sve256'/><feature "
      "policy='disable' name='pmu'/><feature policy='require' name='asimd'/></cpu></domain>");
  CHECK(texts_of(arm.settings)[{0, "CPU_MODEL"}] == "host,sve256=on,pmu=off");
}

TEST_CASE("the memory of NUMA cells is the domain's") {
  const auto memory = [](const std::string& before, const std::string& cells) {
    return settings_of(before + "<cpu><numa>" + cells + "</numa></cpu>")[{0, "MEMORY"}];
  };
  const std::string two =
      "<cell id='0' cpus='0' memory='262144'/>"
      "<cell id='1' cpus='1' memory='1' unit='GiB'/>";
  CHECK(memory("", two) == "1280");
  CHECK(memory("<memory unit='MiB'>512</memory>", two) == "1280");
  CHECK(memory("<memory unit='MiB'>512</memory>", "") == "512");
  CHECK(memory("<memory unit='MiB'>512</memory>", "<cell memory='x'/>") == "512");
}

TEST_CASE("QEMU's own arguments are found by their namespace, wherever it is declared") {
  const std::string uri = "http://libvirt.org/schemas/domain/qemu/1.0";
  const auto with = [&](const std::string& attributes, const std::string& body) {
    const auto domain = imported("<domain type='kvm' " + attributes +
                                 "><os><kernel>/k</kernel></os>" + body + "</domain>");
    return texts_of(domain.settings)[{0, "EXTRA_ARGS"}];
  };
  const std::string plain = "><arg value='-S'/></commandline>";
  CHECK(with("", "<commandline xmlns='" + uri + "'" + plain) == "-S");
  CHECK(with("", "<q:commandline xmlns:q='" + uri + "'><q:arg value='-S'/></q:commandline>") ==
        "-S");
  CHECK(with("xmlns:v='" + uri + "'", "<v:commandline><v:arg value='-S'/></v:commandline>") ==
        "-S");
  CHECK(with("xmlns:q='" + uri + "' xmlns:r='" + uri + "'",
             "<q:commandline><r:arg value='-S'/></q:commandline>") == "-S");
  // The innermost declaration counts, and only inside.
  CHECK(with("xmlns:q='" + uri + "'",
             "<q:commandline xmlns:q='other'><q:arg value='-S'/></q:commandline>") == "");
  CHECK(with("", "<a xmlns:q='" + uri + "'/><q:commandline><q:arg value='-S'/></q:commandline>") ==
        "");
  CHECK(with("", "<commandline" + plain) == "");
  CHECK(with("xmlns:qemu='other'", "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>") ==
        "");
}

TEST_CASE("arguments of QEMU's own are told, since they may do anything") {
  const auto notes = [](const std::string& arguments) {
    return notes_of(
        imported(domain_with("<devices><interface type='user'/></devices><commandline "
                             "xmlns='http://libvirt.org/schemas/domain/qemu/1.0'>" +
                             arguments + "</commandline>")));
  };
  const std::string before =
      "domain.xml:3: <commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'>: carried "
      "over, but QEMU does with your rights whatever it says: read it before you start this: ";
  CHECK(notes("<arg value='-device'/><arg value='x, y'/>") == before + "-device 'x, y'\n");
  CHECK(notes("<arg value='-object'/><arg value='secret,id=s,data=hunter2'/>") ==
        before + "-object 'secret,id=s,data=…'\n");
  CHECK(notes("") == "");
}

TEST_CASE("USB controllers are carried over, and one is made for devices that need it") {
  const auto usb = [](const std::string& controllers) {
    return arguments_of("<devices>" + controllers + "<interface type='user'/></devices>");
  };
  CHECK(usb("<controller type='usb' index='0' model='qemu-xhci' ports='15'/>") ==
        "-device\nqemu-xhci,id=usb,p2=15,p3=15\n");
  CHECK(usb("<controller type='usb' model='ich9-uhci1'><master startport='0'/></controller>"
            "<controller type='usb' index='0' model='ich9-ehci1'/>"
            "<controller type='usb' index='1'/>") ==
        "-device\nich9-usb-ehci1,id=usb\n-device\nqemu-xhci,id=usb1\n");
  CHECK(usb("<controller type='usb' index='0' model='ich9-ehci1'/><controller type='usb' index='0' "
            "model='ich9-uhci2'><master startport='2'/></controller>") ==
        "-device\nich9-usb-ehci1,id=usb\n-device\nich9-usb-uhci2,masterbus=usb.0,firstport=2\n");
  CHECK(usb("<controller type='usb' model='none'/>") == "");
  const auto lost = imported(domain_with(
      "<devices><controller type='usb' model='qusb1'/><interface type='user'/></devices>"));
  CHECK(notes_of(lost) ==
        "domain.xml:3: <controller type='usb'>: not carried over: no QEMU has a USB controller of "
        "this model\n");
  CHECK(arguments_of(
            "<devices><interface type='user'/></devices><commandline "
            "xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-device'/><arg "
            "value='usb-kbd'/></commandline>") == "-device\nqemu-xhci,id=usb\n-device\nusb-kbd\n");
}

TEST_CASE("what the firmware gets: entries of fw_cfg and SMBIOS tables") {
  CHECK(arguments_of("<sysinfo type='fwcfg'><entry name='opt/a,b'>x, y=z</entry><entry "
                     "name='opt/f' file='/srv/it&apos;s'/><entry name='other'>x</entry><entry "
                     "name='opt/r' file='r'/></sysinfo><devices/>") ==
        "-fw_cfg\nname=opt/a,,b,string=x,, y=z\n-fw_cfg\nname=opt/f,file=/srv/it's\n");
  const std::string tables =
      "<sysinfo type='smbios'><system><entry name='serial'>ds=nocloud;s=http://h/</entry><entry "
      "name='manufacturer'>A, B</entry></system><oemStrings><entry>one</entry><entry>two,2</entry>"
      "</oemStrings></sysinfo>";
  CHECK(arguments_of(tables) == "");
  const auto used = imported(
      "<domain type='qemu'><os><kernel>/k</kernel><smbios "
      "mode='sysinfo'/></os>" +
      tables + "</domain>");
  CHECK(shell_split(texts_of(used.settings)[{0, "EXTRA_ARGS"}]) ==
        Strings{"-smbios", "type=1,manufacturer=A,, B,serial=ds=nocloud;s=http://h/", "-smbios",
                "type=11,value=one,value=two,,2"});
}

TEST_CASE("shares that a VM cannot have so are settled, and told of") {
  const auto shares = [](const std::string& filesystems) {
    return imported(
        "<domain type='qemu'><os><type>hvm</type></os><devices><disk><source "
        "file='/srv/images/a'/><target dev='vda'/></disk>" +
        filesystems + "<interface type='user'/></devices></domain>");
  };
  const auto share = [](const std::string& source, const std::string& tag,
                        const std::string& driver = "") {
    return fmt::format("<filesystem>{}<source dir='{}'/><target dir='{}'/></filesystem>", driver,
                       source, tag);
  };
  const auto tags = [&](const std::string& filesystems) {
    std::string text;
    for (const auto& [key, value] : texts_of(shares(filesystems).settings)) {
      if (key.name == "TARGET" || key.name == "MOUNT") text += value + " ";
    }
    return text;
  };
  const std::string virtiofs = "<driver type='virtiofs'/>";
  const std::string x40(40, 'x');
  CHECK(tags(share("/a", "t") + share("/b", "t") + share("/c", "t")) == "t t-2 t-3 ");
  CHECK(tags(share("/a", x40)) == x40.substr(0, 31) + " ");
  CHECK(tags(share("/a", x40, virtiofs)) == x40.substr(0, 36) + " ");
  CHECK(tags(share("/a", x40) + share("/b", x40)) ==
        x40.substr(0, 31) + " " + x40.substr(0, 29) + "-2 ");
  CHECK(tags(share("/a", std::string(30, 'x') + "\xc3\xa4")) == std::string(30, 'x') + " ");
  CHECK(tags(share("/a", "a/b") + share("/b", "a-b")) == "/mnt/a-b a/b /mnt/a-b-2 a-b ");
  CHECK(tags(share("/a", "LABEL=x") + share("/b", "a&#10;b")) == "LABEL-x a-b ");
  CHECK(tags(share("/a/" + x40, "")) == x40.substr(0, 31) + " ");

  const auto lost = [&](const std::string& source) {
    const auto domain = shares(share(source, "t"));
    return texts_of(domain.settings).count({1, "SOURCE"}) == 0 ? domain.notes.back().why : "";
  };
  const std::string whole =
      "not carried over: the whole file system is not shared; share a folder below it";
  for (const std::string source : {"/", "//", "/./", "/srv/..", "/../"}) {
    CAPTURE(source);
    CHECK(lost(source) == whole);
  }
  const std::string own =
      "not carried over: the machine's own disk is in it (/srv/images/a), which its guest must not "
      "reach; move one of them";
  for (const std::string source : {"/srv", "/srv/images/", "/srv/x/../images"}) {
    CAPTURE(source);
    CHECK(lost(source) == own);
  }
  CHECK(lost("/srv/image") == "");
  const auto lost_of_started = [&](const std::string& source, const std::string& flags) {
    const auto domain = imported(
        "<domain type='qemu'><os><type>hvm</type><kernel>/srv/boot/k</kernel></os><devices><disk>"
        "<source file='/srv/images/a'/><target dev='vda'/></disk><disk><source "
        "file='/srv/more/b'/><target dev='vdb'/></disk><filesystem><source dir='" +
        source + "'/><target dir='t'/>" + flags +
        "</filesystem><interface type='user'/></devices></domain>");
    return texts_of(domain.settings).count({1, "SOURCE"}) == 0 ? domain.notes.back().why : "";
  };
  const auto started = [](const std::string& file) {
    return "not carried over: what the machine is started with is in it (" + file +
           "), which its guest must not change; move one of them, or make the share <readonly/>";
  };
  CHECK(lost_of_started("/srv/boot", "") == started("/srv/boot/k"));
  CHECK(lost_of_started("/srv/more/", "") == started("/srv/more/b"));
  CHECK(lost_of_started("/srv/more", "<readonly/>") == "");

  std::string many;
  for (int i = 0; i < 130; ++i) many += share("/m" + std::to_string(i), "t" + std::to_string(i));
  const auto domain = shares(many);
  auto texts = texts_of(domain.settings);
  CHECK(texts.count({120, "SOURCE"}) == 1);
  CHECK(texts.count({121, "SOURCE"}) == 0);
  const auto report = report_text(domain, false);
  CHECK(report.find(
            "<filesystem> (10 of them, to line 1): not carried over: a VM takes at most 120") !=
        std::string::npos);
}

TEST_CASE("an isolated network does not become an open one") {
  const auto network = [](const std::string& cards) {
    const auto domain = imported(domain_with("<devices>" + cards + "</devices>"));
    auto texts = texts_of(domain.settings);
    return texts[{0, "NETWORK"}] + (domain.notes.empty() ? "" : ", told");
  };
  CHECK(network("") == "restricted, told");
  CHECK(network("<interface type='user'/>") == "");
  CHECK(network("<interface type='network'><source network='default'/></interface>") == ", told");
  CHECK(network("<interface type='network'><source network='inner'/></interface>") ==
        "restricted, told");
  CHECK(network("<interface type='bridge'><source bridge='br0'/></interface>") ==
        "restricted, told");
  CHECK(network("<interface type='network'><source network='inner'/></interface><interface "
                "type='user'/>") == ", told");
}

TEST_CASE(
    "the report: what keeps the guest from starting first, equal lines as one, the rest asked "
    "for") {
  using Weight = NoteWeight;
  const std::vector<ImportNote> notes = {{1, "<a>", "minor", Weight::minor},
                                         {2, "<b>", "matters", Weight::matters},
                                         {3, "<c>", "stops", Weight::stops},
                                         {4, "<d>", "matters", Weight::matters},
                                         {5, "<b>", "matters", Weight::matters}};
  const std::string stops = "d.xml:3: <c>: the guest may not start as it is: stops";
  const std::string matters = "d.xml:2: <b> (2 of them, to line 5), line 4: <d>: matters";
  CHECK(report_of(notes, "d.xml", false) == ImportReport{{stops, matters}, 1});
  CHECK(report_of(notes, "d.xml", true) ==
        ImportReport{{stops, matters, "d.xml:1: <a>: minor"}, 0});
  CHECK(report_of({}, "d.xml", true) == ImportReport{});
}

/// A host where every path that the settings name is there.
Host host_for(const Config& config) {
  auto host = ordinary_user();
  for (const auto* file : {&config.kernel, &config.initrd}) {
    if (!file->value.empty()) host.files[file->value] = regular_file();
  }
  for (const auto& share : config.shares) host.files[share.source.value] = folder();
  if (!config.base_image.value.empty() && config.base_image.value != no_base_image) {
    host.guest = GuestImage{};
    host.guest->disk = config.base_image.value;
    host.guest->disk_format = "qcow2";
  }
  return host;
}

void check_taken(const std::string& xml) {
  const auto toml = print_toml(imported(xml).settings);
  CAPTURE(toml);
  const auto loaded = load_config({}, {}, {"vm.toml", toml});
  auto problems = judge({}, host_for(loaded.config), toml).problems;
  // What this host cannot do is no fault of the file's.
  std::erase_if(problems, [](const Problem& problem) {
    return problem.status == ExitStatus::host_unsupported;
  });
  CHECK(Verdict{problems, {}} == Verdict{});
}

TEST_CASE("everything that import writes is taken by the configuration and by the rules") {
  for (const std::string folder : {"domains", "cases/xml"}) {
    for (const auto& entry : fs::recursive_directory_iterator(SOURCE_FOLDER "/tests/" + folder)) {
      if (entry.path().extension() != ".xml") continue;
      // Its words are wrong to libvirt, too.
      if (entry.path().parent_path().filename() == "hostile") continue;
      CAPTURE(entry.path().string());
      check_taken(read_text(entry.path()));
    }
  }
  const std::string filesystem =
      "<filesystem>{}<source dir='/srv/{}'/><target dir='{}'/></filesystem>";
  std::string shares;
  for (const auto* tag :
       {"a", "a", "a/b", "a-b", ".", "..", "", "LABEL=1", "ID=", "a&#9;b", "-o"}) {
    for (const auto* driver :
         {"<driver type='virtiofs' queue='512'/>", "<driver queue='7'/>", ""}) {
      shares += fmt::format(fmt::runtime(filesystem), driver, shares.size(), tag);
    }
  }
  shares += fmt::format(fmt::runtime(filesystem), "", "x", std::string(200, 'y'));
  check_taken(
      domain_with("<name>-bad name/</name><cpu mode='host-model'><feature policy='require' "
                  "name='cmt'/></cpu><devices>" +
                  shares + "</devices>"));
}

}  // namespace
}  // namespace vmr::test
