// SPDX-License-Identifier: MIT
#include "spec/mime_message.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace vmr {

std::ostream& operator<<(std::ostream& out, const MimePart& part) {
  out << part.type << " [";
  for (const auto& [name, value] : part.headers) out << name << ": " << value << "; ";
  return out << "] " << part.body;
}

namespace {

using Parts = std::vector<MimePart>;

TEST_CASE("a message of one part") {
  CHECK(read_mime_message(
            "MIME-Version: 1.0\nContent-Type: Text/Cloud-Config; charset=x\n\na: 1\n") ==
        Parts{{"text/cloud-config",
               {{"MIME-Version", "1.0"}, {"Content-Type", "Text/Cloud-Config; charset=x"}},
               "a: 1\n"}});
}

TEST_CASE("a text without headers is a body") {
  CHECK(read_mime_message("#cloud-config\na: 1\n") ==
        Parts{{"text/plain", {}, "#cloud-config\na: 1\n"}});
  CHECK(read_mime_message("\na: 1\n") == Parts{{"text/plain", {}, "a: 1\n"}});
  CHECK(read_mime_message("") == Parts{{"text/plain", {}, ""}});
}

TEST_CASE("parts, nested, with every end of line, before and behind which is other text") {
  const std::string text =
      "Content-Type: multipart/mixed;\r\n boundary=\"a; b\"\r\n\r\n"
      "not a part\r\n"
      "--a; b\r\n"
      "Content-Type: text/x-one\r\n\r\n"
      "one\r\n\r\n"
      "--a; b  \r\n"
      "Content-Type: multipart/mixed; boundary=c\r\n\r\n"
      "--c\r\n\r\n--cd\r\n"
      "--c--\r\n"
      "--a; b--\r\n"
      "no part either\r\n";
  CHECK(read_mime_message(text) ==
        Parts{{"text/x-one", {{"Content-Type", "text/x-one"}}, "one\r\n"},
              {"text/plain", {}, "--cd"}});
}

TEST_CASE("a message that is cut off has its last part") {
  CHECK(read_mime_message("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nbody\n") ==
        Parts{{"text/plain", {}, "body"}});
  CHECK(read_mime_message("Content-Type: multipart/mixed\n\n--x\n\nbody\n") == Parts{});
  CHECK(read_mime_message("Content-Type: multipart/mixed; boundary=x\n\nbody\n") == Parts{});
}

TEST_CASE("bodies are decoded") {
  CHECK(read_mime_message("Content-Transfer-Encoding: BASE64\n\naGVs\nbG8=\n")[0].body == "hello");
  CHECK(
      read_mime_message("Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb=zz=C3=a9=\r\n!")[0]
          .body == "a=b=zz\xC3\xA9!");
}

TEST_CASE("characters beyond ASCII without an encoding are what Python makes of them") {
  CHECK(read_mime_message("a: b\n\n\u00e9 \u00bf \u0416")[0].body == "\xE9 \xBF \u0416");
}

TEST_CASE("a message in a message") {
  CHECK(read_mime_message("Content-Type: message/rfc822\n\nContent-Type: a/b\n\nx") ==
        Parts{{"a/b", {{"Content-Type", "a/b"}}, "x"}});
}

TEST_CASE("messages in messages have an end") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "Content-Type: message/rfc822\n\n";
  CHECK(read_mime_message(text).size() == 1);
}

TEST_CASE("the first header of a name counts, in whatever case") {
  const MimePart part{"", {{"a-B", "1"}, {"A-b", "2"}}, ""};
  CHECK(header_of(part, "A-B") == "1");
  CHECK(header_of(part, "c") == "");
}

}  // namespace
}  // namespace vmr
