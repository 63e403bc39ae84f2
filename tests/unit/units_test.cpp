// SPDX-License-Identifier: MIT
#include "base/units.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace vmr;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> hostile = {"a,b",
                                          " 1",
                                          "1 ",
                                          "1\n",
                                          "\"1\"",
                                          "'1'",
                                          "%d",
                                          "$(id)",
                                          "١٢",
                                          "0x10",
                                          "1e3",
                                          "+1",
                                          "-1",
                                          std::string("1\0", 2),
                                          std::string(100000, '9')};

}  // namespace

TEST_CASE("booleans are eight words in any case") {
  for (const auto* text : {"1", "true", "yes", "on", "TRUE", "Yes", "oN"}) {
    CAPTURE(text);
    CHECK(parse_bool(text) == Parsed<bool>(true));
  }
  for (const auto* text : {"0", "false", "no", "off", "FALSE", "No", "oFF"}) {
    CAPTURE(text);
    CHECK(parse_bool(text) == Parsed<bool>(false));
  }
}

TEST_CASE("anything else is no boolean") {
  const Invalid invalid{"neither yes nor no", "one of: 1, true, yes, on, 0, false, no, off"};
  auto texts = hostile;
  texts.insert(texts.end(), {"", "2", "y", "n", "t", "enable", "ja", "00", "01"});
  for (const auto& text : texts) {
    CAPTURE(text);
    CHECK(parse_bool(text) == Parsed<bool>(invalid));
  }
}

TEST_CASE("numbers keep to their range") {
  using Number = Parsed<std::uint64_t>;
  const std::string hint = "a whole number from 1 to 512";
  CHECK(parse_number("1", 1, 512) == Number(std::uint64_t{1}));
  CHECK(parse_number("512", 1, 512) == Number(std::uint64_t{512}));
  CHECK(parse_number("0007", 1, 512) == Number(std::uint64_t{7}));
  CHECK(parse_number("0", 1, 512) == Number(Invalid{"below 1", hint}));
  CHECK(parse_number("513", 1, 512) == Number(Invalid{"above 512", hint}));
  CHECK(parse_number("", 1, 512) == Number(Invalid{"not a whole number", hint}));
}

TEST_CASE("the largest number is one and the next is not") {
  using Number = Parsed<std::uint64_t>;
  constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
  CHECK(parse_number("18446744073709551615", 0, highest) == Number(highest));
  CHECK(std::holds_alternative<Invalid>(parse_number("18446744073709551616", 0, highest)));
}

TEST_CASE("hostile texts are no values of any kind") {
  for (const auto& text : hostile) {
    CAPTURE(text);
    CHECK(std::holds_alternative<Invalid>(parse_number(text, 0, 100)));
    CHECK(std::holds_alternative<Invalid>(parse_octal_mode(text)));
    CHECK(std::holds_alternative<Invalid>(parse_mebibytes(text)));
    CHECK(std::holds_alternative<Invalid>(parse_seconds(text)));
  }
}

TEST_CASE("octal modes") {
  using Mode = Parsed<std::uint32_t>;
  const std::string hint = "permission bits in octal, 0 to 0777";
  const std::vector<std::pair<std::string, Mode>> table = {
      {"0", Mode(0U)},
      {"644", Mode(0644U)},
      {"0644", Mode(0644U)},
      {"0o644", Mode(0644U)},
      {"0777", Mode(0777U)},
      {"01000", Mode(Invalid{"above 0777", hint})},
      {"01777", Mode(Invalid{"above 0777", hint})},
      {std::string(200, '7'), Mode(Invalid{"above 0777", hint})},
      {"0888", Mode(Invalid{"not octal digits", hint})},
      {"rw-r--r--", Mode(Invalid{"not octal digits", hint})},
      {"0o", Mode(Invalid{"not octal digits", hint})},
      {"", Mode(Invalid{"not octal digits", hint})},
  };
  for (const auto& [text, mode] : table) {
    CAPTURE(text);
    CHECK(parse_octal_mode(text) == mode);
  }
}

TEST_CASE("memory in MiB or with a unit") {
  const std::vector<std::pair<std::string, std::uint64_t>> table = {
      {"1", 1},           {"2048", 2048}, {"512M", 512},  {"512m", 512},  {"512MiB", 512},
      {"2G", 2048},       {"2g", 2048},   {"2GB", 2048},  {"2GiB", 2048}, {"1T", 1048576},
      {"1048576K", 1024}, {"1024k", 1},   {"1024KiB", 1}, {"004M", 4},
  };
  for (const auto& [text, mebibytes] : table) {
    CAPTURE(text);
    CHECK(parse_mebibytes(text) == Parsed<std::uint64_t>(mebibytes));
  }
}

TEST_CASE("what is no whole number of MiB is refused") {
  const std::string hint = "MiB, or a number with a unit: 2048, 512M, 2G";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "not an amount of memory"},
      {"G", "not an amount of memory"},
      {"2X", "not an amount of memory"},
      {"2 G", "not an amount of memory"},
      {"1.5G", "not an amount of memory"},
      {"2GG", "not an amount of memory"},
      {"2Gi", "not an amount of memory"},
      {"0", "less than 1 MiB"},
      {"0G", "less than 1 MiB"},
      {"1023K", "less than 1 MiB"},
      {"1536K", "not a whole number of MiB"},
      {"99999999999999999T", "too much memory"},
      {"99999999999999999999999", "too much memory"},
  };
  for (const auto& [text, message] : table) {
    CAPTURE(text);
    CHECK(parse_mebibytes(text) == Parsed<std::uint64_t>(Invalid{message, hint}));
  }
}

TEST_CASE("seconds whole and with decimals") {
  const std::vector<std::pair<std::string, std::chrono::milliseconds>> table = {
      {"0", 0ms},        {"8", 8s},      {"0.5", 500ms},     {"0.05", 50ms},
      {"1.250", 1250ms}, {"86400", 24h}, {"86400.000", 24h}, {"007", 7s},
  };
  for (const auto& [text, duration] : table) {
    CAPTURE(text);
    CHECK(parse_seconds(text) == Parsed<std::chrono::milliseconds>(duration));
  }
}

TEST_CASE("what is no duration up to a day is refused") {
  const std::string hint = "seconds, 0 to 86400, such as 8 or 0.5";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "not a number of seconds"},
      {".", "not a number of seconds"},
      {".5", "not a number of seconds"},
      {"8.", "not a number of seconds"},
      {"8s", "not a number of seconds"},
      {"1.2.3", "not a number of seconds"},
      {"inf", "not a number of seconds"},
      {"0.0005", "finer than a millisecond"},
      {"86400.001", "more than a day"},
      {"86401", "more than a day"},
      {"99999999999999999999999", "more than a day"},
  };
  for (const auto& [text, message] : table) {
    CAPTURE(text);
    CHECK(parse_seconds(text) == Parsed<std::chrono::milliseconds>(Invalid{message, hint}));
  }
}
