// SPDX-License-Identifier: MIT
#include "spec/user_data_parts.hpp"

#include "base/base64.hpp"
#include "base/user_data_size.hpp"
#include "support/gzip.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <utility>

namespace vmr {

std::ostream& operator<<(std::ostream& out, const UserDataPart& part) {
  return out << '\'' << part.name << "' " << part.type << " (" << part.merge_type << ") "
             << part.text;
}

namespace {

using Parts = std::vector<UserDataPart>;

Parts parts_of(const std::string& bytes) {
  return read_user_data_parts(bytes).parts;
}

TEST_CASE("cloud-init tells user-data by its beginning") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"#cloud-config\n", "text/cloud-config"},
      {"#cloud-config\r\na: 1\r\n", "text/cloud-config"},
      {"\n \r\n\t#Cloud-Config\n", "text/cloud-config"},
      {"#cloud-configuration", "text/cloud-config"},
      {"#cloud-config-archive", "text/cloud-config-archive"},
      {"#cloud-config-jsonp", "text/cloud-config-jsonp"},
      {"#!/bin/sh", "text/x-shellscript"},
      {"#include\nhttp://x", "text/x-include-url"},
      {"#include-once\nhttp://x", "text/x-include-once-url"},
      {"#cloud-boothook\n", "text/cloud-boothook"},
      {"#part-handler\n", "text/part-handler"},
      {"## template: jinja\n", "text/jinja2"},
      {"", ""},
      {"# cloud-config\n", ""},
      {"#upstart-job\n", ""},
      {"---\n#cloud-config\n", ""},
      {"\xEF\xBB\xBF#cloud-config\n", ""},
      {"hostname: x\n#cloud-config\n", ""},
      {std::string("\0#cloud-config", 14), ""}};
  for (const auto& [text, type] : rows) {
    CAPTURE(text);
    CHECK(type_by_beginning(text) == type);
  }
}

TEST_CASE("user-data of one part") {
  CHECK(parts_of("#cloud-config\n") == Parts{{"", "text/cloud-config", "", "#cloud-config\n"}});
  CHECK(parts_of("x") == Parts{{"", "text/x-not-multipart", "", "x"}});
  CHECK(parts_of("") == Parts{{"", "text/x-not-multipart", "", ""}});
}

TEST_CASE("a MIME message is one with MIME-Version, of which each part has its type") {
  CHECK(parts_of("Content-Type: text/cloud-config\n\na: 1\n") ==
        Parts{{"", "text/x-not-multipart", "", "Content-Type: text/cloud-config\n\na: 1\n"}});
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=x\nmime-version: 1.0\n\n"
                 "--x\nContent-Type: text/cloud-config\nX-Merge-Type: list(append)\n\na: 1\n"
                 "--x\nContent-Disposition: attachment; filename=\"a b\"\n\n#!/bin/sh\n"
                 "--x\nContent-Type: text/x-shellscript\n\n#cloud-config\n"
                 "--x\nContent-Type: text/plain\nmerge-type: y\n\nwhat\n"
                 "--x--\n") == Parts{{"part 1", "text/cloud-config", "list(append)", "a: 1"},
                                     {"a b", "text/x-shellscript", "", "#!/bin/sh"},
                                     {"part 3", "text/cloud-config", "", "#cloud-config"},
                                     {"part 4", "text/plain", "", "what"}});
}

TEST_CASE("MIME-Version within a cloud-config changes nothing") {
  const std::string text = "#cloud-config\na: |\n  MIME-Version: 1.0\n";
  CHECK(parts_of(text) == Parts{{"", "text/cloud-config", "", text}});
}

TEST_CASE("a MIME message that is not UTF-8 is told") {
  CHECK(read_user_data_parts("MIME-Version: 1.0\n\n\xff") == UserDataParts{{}, false, true});
}

TEST_CASE("archives") {
  CHECK(parts_of("#cloud-config-archive\n"
                 "- |\n  #!/bin/sh\n"
                 "- content: \"a: 1\"\n  filename: one\n  X-Merge-Type: m\n"
                 "- {type: text/cloud-boothook, content: x}\n"
                 "- 12\n"
                 "- \"#cloud-config-archive\"\n") ==
        Parts{{"part 1", "text/x-shellscript", "", "#!/bin/sh\n"},
              {"one", "text/cloud-config", "m", "a: 1"},
              {"part 3", "text/cloud-boothook", "", "x"},
              {"part 4", "text/cloud-config-archive", "", "#cloud-config-archive"}});
  CHECK(parts_of("#cloud-config-archive\na: 1\n") ==
        Parts{{"", "text/cloud-config-archive", "", "#cloud-config-archive\na: 1\n"}});
}

TEST_CASE("gzip around user-data, and in a part") {
  CHECK(parts_of(test::gzip("#!/bin/sh\n")) ==
        Parts{{"", "text/x-shellscript", "", "#!/bin/sh\n"}});
  CHECK(parts_of("MIME-Version: 1.0\nContent-Type: application/gzip\n"
                 "Content-Transfer-Encoding: base64\n\n" +
                 base64(test::gzip("#!/bin/sh\n"))) ==
        Parts{{"", "text/x-shellscript", "", "#!/bin/sh\n"}});
}

TEST_CASE("gzip that expands without end is told") {
  const auto whole = read_user_data_parts(test::gzip(std::string(largest_user_data, ' ')));
  CHECK_FALSE(whole.is_too_large);
  CHECK(whole.parts.at(0).text.size() == largest_user_data);
  CHECK(read_user_data_parts(test::gzip(std::string(largest_user_data + 1, ' '))) ==
        UserDataParts{{}, true, false});
}

}  // namespace
}  // namespace vmr
