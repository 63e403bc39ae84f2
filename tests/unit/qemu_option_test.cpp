// SPDX-License-Identifier: MIT
#include "base/qemu_option.hpp"

#include "support/hostile_values.hpp"
#include "support/qemu_option_parser.hpp"

#include <doctest/doctest.h>

namespace vmr::test {
namespace {

TEST_CASE("options are written as QEMU reads them") {
  CHECK(QemuOption("local").text() == "local");
  CHECK(QemuOption("a,b").text() == "a,,b");
  CHECK(QemuOption("d").set("k", "v").set("n", std::uint64_t{18446744073709551615U}).text() ==
        "d,k=v,n=18446744073709551615");
  CHECK(QemuOption("d").set("k", "").set("l", ",").set("m", "a,,b=c").text() ==
        "d,k=,l=,,,m=a,,,,b=c");
}

TEST_CASE("the parser of the tests knows the rules of QEMU") {
  CHECK(parse_qemu_option("").empty());
  CHECK(parse_qemu_option("local,id=a", "driver") == KeyValues{{"driver", "local"}, {"id", "a"}});
  CHECK(parse_qemu_option("if=none,file=a,,b=c,,", "x") ==
        KeyValues{{"if", "none"}, {"file", "a,b=c,"}});
  CHECK(parse_qemu_option("d,readonly,k=", "x") ==
        KeyValues{{"x", "d"}, {"readonly", "on"}, {"k", ""}});
  CHECK(parse_qemu_option("k=,,,l=v") == KeyValues{{"k", ","}, {"l", "v"}});
  CHECK(parse_qemu_option("a,,b,k=v", "x") == KeyValues{{"x", "a,b"}, {"k", "v"}});
}

TEST_CASE("the parser of the tests knows the rules of fuse_opt") {
  CHECK(parse_fuse_options("") == std::vector<std::string>{""});
  CHECK(parse_fuse_options("a=b,c") == std::vector<std::string>{"a=b", "c"});
  CHECK(parse_fuse_options("a\\,b\\\\,c") == std::vector<std::string>{"a,b\\", "c"});
  CHECK(parse_fuse_options("\\101\\x\\8\\") == std::vector<std::string>{"Ax8\\"});
}

TEST_CASE("no value breaks out of its option") {
  for (const auto& value : hostile_names()) {
    CAPTURE(value);
    const auto text = QemuOption(value).set("path", value).set("readonly", "on").text();
    // A first word with "=" is a key, which is why no text of a user ever comes first.
    if (value.find('=') == value.npos) {
      CHECK(parse_qemu_option(text, "driver") ==
            KeyValues{{"driver", value}, {"path", value}, {"readonly", "on"}});
    }
    CHECK(parse_qemu_option(QemuOption("x").set("a", value).set("b", value).text(), "driver") ==
          KeyValues{{"driver", "x"}, {"a", value}, {"b", value}});
  }
}

}  // namespace
}  // namespace vmr::test
