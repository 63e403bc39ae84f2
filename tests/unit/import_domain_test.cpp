// SPDX-License-Identifier: MIT
// Whole domains: tests/domains/<case>/domain.xml, what comes of it (vm.toml) and what is said
// (notes). UPDATE_GOLDEN=1 in the environment writes the expected files anew.
#include "libvirt/import_domain.hpp"

#include "base/qemu_option.hpp"
#include "base/shell_words.hpp"
#include "build_paths.hpp"
#include "config/load.hpp"
#include "config/raw_settings.hpp"
#include "support/hostile_values.hpp"
#include "support/imported_domain.hpp"
#include "support/judge.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// What a configuration file is read as.
Texts texts_in(const std::string& toml) {
  const auto raw = read_toml(toml, "vm.toml");
  CHECK(raw.problems == std::vector<Problem>{});
  Texts texts;
  for (const auto& [key, text] : raw.values) texts.emplace(key, text.value);
  return texts;
}

void check_file(const fs::path& path, const std::string& now) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) write_text(path, now);
  INFO(path.string(), "; UPDATE_GOLDEN=1 writes what it is now");
  CHECK(read_text(path) == now);
}

/// `text` inside an attribute.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&' || c == '<' || c == '\'' || c == '"' || c == '\n' || c == '\t') {
      out += fmt::format("&#{};", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out;
}

/// The values that XML can have: characters, as UTF-8.
std::vector<std::string> hostile_texts() {
  auto names = hostile_names();
  std::erase(names, "\xff\xfe");
  std::erase(names, " blank ");
  names.emplace_back("blanks inside , =");
  names.emplace_back("\x7f\xc2\x80");
  return names;
}

/// The tag of a 9p share that was to have `name`.
std::string settled(std::string name) {
  name = name.substr(0, 31);
  for (auto& c : name) {
    if (c == '\n' || c == '\t' || c == '\x7f') c = '-';
  }
  return name;
}

struct Refusal {
  std::string message;
  std::string cause;
  std::string hint;
  ExitStatus status;

  bool operator==(const Refusal&) const = default;
};

Refusal refusal_of(const std::string& text) {
  try {
    import_domain(text, "d.xml");
  } catch (const Error& error) {
    return {error.what(), error.cause, error.hint, error.status};
  }
  return {"imported", "", "", ExitStatus::ok};
}

Refusal at(const std::string& place, const std::string& cause,
           const std::string& hint = "correct the XML there") {
  return {"d.xml:" + place + ": not the XML of a libvirt domain", cause, hint, ExitStatus::usage};
}

TEST_CASE("whole domains and all that is said of them") {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(SOURCE_FOLDER "/tests/domains")) {
    ++cases;
    const auto folder = entry.path();
    const auto domain = imported(read_text(folder / "domain.xml"));
    const auto toml = print_toml(domain.settings);
    check_file(folder / "vm.toml", toml);
    check_file(folder / "notes", report_text(domain, true));
    CHECK(texts_in(toml) == texts_of(domain.settings));
    CHECK(load_config({}, {}, {"vm.toml", toml}).problems == std::vector<Problem>{});
  }
  CHECK(cases == 5);
}

TEST_CASE("the guide shows a domain and what comes of it") {
  const auto guide = read_text(SOURCE_FOLDER "/docs/from-libvirt.md");
  const auto domain = read_text(SOURCE_FOLDER "/tests/domains/guide/domain.xml");
  const auto toml = read_text(SOURCE_FOLDER "/tests/domains/guide/vm.toml");
  std::string log = report_text(imported(domain), false);
  for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1) log.insert(at, "[WARN] ");
  for (const auto& text : {domain, toml, log}) {
    CHECK_MESSAGE(guide.find("\n" + text) != std::string::npos, text);
  }
}

TEST_CASE("hostile paths and names come through the domain and its TOML as they are") {
  for (const auto& name : hostile_texts()) {
    CAPTURE(name);
    const auto path = escaped("/srv/" + name);
    const auto domain = imported(domain_with(
        fmt::format("<devices><disk><source file='{0}'/><target bus='virtio'/><transient/></disk>"
                    "<disk><source file='{0}'/><target bus='virtio'/><serial>{1}</serial></disk>"
                    "<filesystem><source dir='{0}'/><target dir='{1}'/></filesystem>"
                    "<interface type='user'/></devices>",
                    path, escaped(name))));
    auto texts = texts_in(print_toml(domain.settings));
    CHECK(texts == texts_of(domain.settings));
    CHECK(texts[{0, "BASE_IMAGE"}] == "/srv/" + name);
    CHECK(texts[{1, "SOURCE"}] == "/srv/" + name);
    CHECK(texts[{1, "TARGET"}] == settled(name));
    CHECK(
        shell_split(texts[{0, "EXTRA_ARGS"}]) ==
        Strings{
            "-drive",
            QemuOption("if=none")
                .set("id", "import-disk1")
                .set("file.driver", "file")
                .set("file.filename", "/srv/" + name)
                .set("format", "raw")
                .text(),
            "-device",
            QemuOption("virtio-blk-pci").set("drive", "import-disk1").set("serial", name).text()});
  }
}

TEST_CASE("any setting can be written as TOML and read again") {
  for (auto name : hostile_texts()) {
    for (const std::string& text :
         Strings{name, "0" + name, "007", "0", "12", "-1", "1.5", "true", "false",
                 "9999999999999999999", "'''", "\"\"\"", "a\r\nb", "\x01\x1f"}) {
      const std::vector<TomlLine> settings = {{{0, "CMDLINE"}, text},
                                              {{0, "EXTRA_ARGS"}, shell_join({text, ""})},
                                              {{1, "SOURCE"}, text},
                                              {{2, "SOURCE"}, text}};
      CAPTURE(text);
      CHECK(texts_in(print_toml(settings)) == texts_of(settings));
    }
  }
}

TEST_CASE("a bridge card of an unknown model is lost, and only that is said") {
  const auto domain =
      imported(domain_with("<devices><interface type='user'/><interface type='bridge'><source "
                           "bridge='br0'/><model type='virtio,foo'/></interface></devices>"));
  CHECK(notes_of(domain) ==
        "domain.xml:3: <interface type='bridge'>: not carried over: there is no card 'virtio,foo'; "
        "give it with model virtio\n");
  CHECK(texts_of(domain.settings).count({0, "EXTRA_ARGS"}) == 0);
}

TEST_CASE("memory in every unit of libvirt's, rounded up to MiB") {
  const std::vector<std::array<std::string, 3>> rows = {{"", "2097152", "2048"},
                                                        {"unit='b'", "33554433", "33"},
                                                        {"unit='bytes'", "33554432", "32"},
                                                        {"unit='KB'", "32000", "31"},
                                                        {"unit='k'", "32768", "32"},
                                                        {"unit='KiB'", "32769", "33"},
                                                        {"unit='MB'", "100", "96"},
                                                        {"unit='M'", "100", "100"},
                                                        {"unit='mib'", "100", "100"},
                                                        {"unit='GB'", "1", "954"},
                                                        {"unit='G'", "1", "1024"},
                                                        {"unit='GiB'", "3", "3072"},
                                                        {"unit='TB'", "1", "953675"},
                                                        {"unit='TiB'", "1", "1048576"},
                                                        {"unit='PiB'", "1", ""},
                                                        {"unit='EiB'", "16", ""},
                                                        {"unit='MiB'", "15", ""},
                                                        {"unit='miles'", "100", ""},
                                                        {"unit=''", "2097152", ""},
                                                        {"", "-1", ""},
                                                        {"", "", ""},
                                                        {"", "99999999999999999999", ""},
                                                        {"", "0x800000", ""}};
  for (const auto& [unit, amount, mebibytes] : rows) {
    CAPTURE(unit);
    CAPTURE(amount);
    const auto domain = imported(domain_with(fmt::format(
        "<memory {}>{}</memory><devices><interface type='user'/></devices>", unit, amount)));
    auto texts = texts_of(domain.settings);
    CHECK(texts[{0, "MEMORY"}] == mebibytes);
    CHECK(domain.notes.size() == (mebibytes.empty() ? 1 : 0));
  }
}

TEST_CASE("the forward to the guest's SSH, and those that cannot be one") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"<portForward proto='tcp'><range start='2222' to='22'/></portForward>", "0.0.0.0:2222"},
      {"<portForward proto='tcp' address='127.0.0.1'><range start='22'/></portForward>",
       "127.0.0.1:22"},
      {"<portForward proto='tcp'><range start='2222' end='2222' to='22'/></portForward>",
       "0.0.0.0:2222"},
      {"<portForward proto='tcp'><range start='2222' end='2223' to='22'/></portForward>", ""},
      {"<portForward proto='tcp' address='::1'><range start='2222' to='22'/></portForward>", ""},
      {"<portForward proto='udp'><range start='2222' to='22'/></portForward>", ""},
      {"<portForward proto='tcp'><range start='70000' to='22'/></portForward>", ""},
      {"<portForward proto='tcp'><range start='80'/><range start='22'/></portForward>", ""},
      {"<portForward proto='tcp'/>", ""}};
  for (const auto& [forward, port] : rows) {
    CAPTURE(forward);
    const auto domain = imported(
        domain_with("<devices><interface type='user'>" + forward + "</interface></devices>"));
    auto texts = texts_of(domain.settings);
    CHECK(texts[{0, "SSH_PORT"}] == port);
    CHECK(domain.notes.size() == (port.empty() ? 1 : 0));
  }
}

TEST_CASE("what is not the XML of a domain") {
  const std::string domain = "give what 'virsh dumpxml --inactive NAME' prints";
  CHECK(refusal_of("") == at("1:1", "No document element found"));
  CHECK(refusal_of("junk") == at("1:5", "No document element found"));
  CHECK(refusal_of("<domain>\n <os></devices>\n</domain>") == at("2:8", "Start-end tags mismatch"));
  CHECK(refusal_of("<domain") == at("1:7", "Error parsing start element tag"));
  CHECK(refusal_of("<domain type=kvm/>") == at("1:14", "Error parsing element attribute"));
  CHECK(refusal_of("<domain/>\n<domain/>") == at("2:2", "a second element at the top"));
  CHECK(refusal_of("<network/>") == at("1:2", "its root is <network>, not <domain>", domain));
  CHECK(refusal_of("<!DOCTYPE d [<!ENTITY a 'b'>]>\n<domain>&a;</domain>") ==
        at("2:9", "a reference to an entity that XML does not have"));
  CHECK(refusal_of("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>") ==
        at("1:11", "it has a document type", "leave it out: libvirt writes none"));
  for (const std::string reference : {"&x;", "&;", "&", "&amp", "&#0;", "&#1;", "&#xd800;",
                                      "&#x110000;", "&#;", "&#x;", "&#12a;", "&lol "}) {
    CAPTURE(reference);
    CHECK(refusal_of("<domain>\n" + reference + "</domain>") ==
          at("2:1", "a reference to an entity that XML does not have"));
  }
  for (const std::string bytes :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x01", "\xe2\x82"}) {
    CHECK(refusal_of("<domain>\n\n x" + bytes + "</domain>") ==
          at("3:3", "neither UTF-8 nor a character that XML has"));
  }
  CHECK(refusal_of(std::string("<domain>\0</domain>", 18)) ==
        at("1:9", "neither UTF-8 nor a character that XML has"));
  CHECK(refusal_of(std::string(1024 * 1024 + 1, ' ')) ==
        Refusal{"d.xml: not the XML of a libvirt domain", "it is larger than 1 MiB",
                "give what 'virsh dumpxml' prints of one domain", ExitStatus::usage});
}

TEST_CASE("references and comments that XML does have") {
  const auto domain = imported(
      "<!-- a & b -->\xef\xbb\xbf"
      "<domain type='qemu'><name>a</name><os><kernel>/&amp;&lt;&gt;&quot;&apos;&#xe4;"
      "<![CDATA[&x;<y>]]></kernel></os><devices><interface type='user'/></devices></domain>");
  CHECK(texts_of(domain.settings) == Texts{{{0, "GUEST_NAME"}, "a"},
                                           {{0, "ACCEL"}, "tcg"},
                                           {{0, "CPUS"}, "1"},
                                           {{0, "KERNEL"}, "/&<>\"'\xc3\xa4&x;<y>"}});
  CHECK(notes_of(domain) == "");
}

TEST_CASE("elements in each other up to a depth") {
  const auto nested = [](int depth) {
    std::string begin;
    std::string end;
    for (int i = 0; i < depth; ++i) {
      begin += "<x>";
      end += "</x>";
    }
    return "<domain>" + begin + end + "</domain>";
  };
  CHECK(refusal_of(nested(31)).message == "imported");
  CHECK(refusal_of(nested(32)) == at("1:103", "too many elements in each other"));
  CHECK(refusal_of(nested(140000)).cause == "too many elements in each other");
}

TEST_CASE("everything in the domain that nobody knows is told, but nothing below it") {
  const auto domain = imported(domain_with(
      "<a b='c'><d/></a>\n<devices><interface type='user' q='r'><s/></interface>\n"
      "<filesystem t='u'><source dir='/v' w='x'/><target dir='y'/><z/></filesystem></devices>"));
  const std::string why =
      ": not carried over: there is no setting for it; where QEMU has an argument for it, use "
      "EXTRA_ARGS\n";
  CHECK(notes_of(domain) == "domain.xml:3: <a b='c'>" + why + "domain.xml:4: <interface q='r'>" +
                                why + "domain.xml:4: <s>" + why +
                                "domain.xml:5: <filesystem t='u'>" + why +
                                "domain.xml:5: <source w='x'>" + why + "domain.xml:5: <z>" + why);
}

TEST_CASE("a domain of a million bytes is told of in bounded time and memory") {
  std::string body;
  while (body.size() < 1000 * 1000) body += "<a/><disk/><filesystem/>";
  const auto domain = imported(domain_with("<devices>" + body + "</devices>"));
  CHECK(domain.notes.size() > 100000);
  const std::string long_name(900 * 1000, 'x');
  const auto long_one = imported(domain_with("<" + long_name + "/>"));
  REQUIRE(long_one.notes.size() == 2);
  CHECK(long_one.notes.back().element == "<" + long_name.substr(0, 80) + "…>");
}

}  // namespace
}  // namespace vmr::test
