// SPDX-License-Identifier: MIT
#include "spec/public_keys.hpp"

#include "base/base64.hpp"
#include "build_paths.hpp"
#include "support/public_key.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vmr::test {
namespace {

using Strings = std::vector<std::string>;

/// What is said of `text`: "3: is no key" a fault; of all lines without a number.
Strings faults_of(const std::string& text) {
  Strings all;
  for (const auto& fault : read_public_keys(text).faults) {
    all.push_back(std::to_string(fault.line) + ": " + fault.reason);
  }
  return all;
}

/// A string as it is inside a key.
std::string field(const std::string& text) {
  const std::string size = {'\0', '\0', '\0', static_cast<char>(text.size())};
  return size + text;
}

std::string data_of(const std::string& type, const Strings& fields) {
  auto bytes = field(type);
  for (const auto& one : fields) bytes += field(one);
  return base64(bytes);
}

}  // namespace

TEST_CASE("the lines of an authorized_keys file are taken with their options") {
  const auto file = read_text(SOURCE_FOLDER "/tests/cases/docker/authorized_keys");
  const auto read = read_public_keys(file);
  CHECK(read.faults.empty());
  CHECK(read.keys ==
        Strings{"no-port-forwarding,no-X11-forwarding,command=\"/usr/local/bin/only this\" "
                "ssh-ed25519 "
                "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA a@host",
                "from=\"10.0.0.0/8\" " + ecdsa_key + " b@host", ed25519_key + " c@host"});
}

TEST_CASE("keys of every type, with comments, blanks and line ends of Windows") {
  const std::string key(32, 'k');
  const Strings lines = {
      "ssh-rsa " + data_of("ssh-rsa", {"e", "n"}) + " me@here",
      "ecdsa-sha2-nistp521 " + data_of("ecdsa-sha2-nistp521", {"nistp521", "p"}),
      "sk-ssh-ed25519@openssh.com " + data_of("sk-ssh-ed25519@openssh.com", {key, "ssh:"}),
      "sk-ecdsa-sha2-nistp256@openssh.com " +
          data_of("sk-ecdsa-sha2-nistp256@openssh.com", {"nistp256", "p", "ssh:"}),
      "ssh-rsa-cert-v01@openssh.com " + data_of("ssh-rsa-cert-v01@openssh.com", {"nonce"}) + "",
      "sk-ssh-ed25519-cert-v01@openssh.com " +
          data_of("sk-ssh-ed25519-cert-v01@openssh.com", {"nonce"}),
      R"(command="echo \"a b\" # c",restrict )" + ed25519_key + " it's \"me\" ssh-rsa, \\n",
      "cert-authority\t" + ed25519_key};
  std::string text = "# mine\r\n\r\n";
  for (const auto& line : lines) text += "  " + line + " \t\r\n";
  CHECK(read_public_keys(text) == PublicKeys{lines, {}});
  CHECK(read_public_keys("") == PublicKeys{});
}

TEST_CASE("what is no key is said by its line, and why") {
  const std::string no_type = "1: is not an SSH public key";
  const std::string unknown_type = "1: has a type of key that OpenSSH does not take";
  const std::string not_whole = "1: has a key that is not whole";
  const std::string several = "1: holds several keys";
  const std::string path = "1: is the path of a file, and the key itself is asked for";
  const auto data = ed25519_key.substr(ed25519_key.find(' ') + 1);
  struct Row {
    std::string text;
    std::string fault;
  };
  const std::vector<Row> rows = {
      {"# only a comment", "0: there is no key in it, only comments or blanks"},
      {" \r\n", "0: there is no key in it, only comments or blanks"},
      {"me@here", no_type},
      {"ssh-ed25519", "1: has no key behind its type"},
      {"ssh-ed25519 # me", "1: has no key behind its type"},
      {"ssh-ed25519 me@here", "1: has a key that is not whole, or no base64"},
      {"ssh-ed25519 key", "1: has a key that is not whole, or no base64"},
      {"ssh-ed25519 AAAA", not_whole},
      {"ssh-ed25519 " + data.substr(0, 40), not_whole},
      {"ssh-ed25519 " + data.substr(0, 41), not_whole + ", or no base64"},
      {"ssh-ed25519 " + data_of("ssh-ed25519", {"short"}), not_whole},
      {"ssh-rsa " + data_of("ssh-rsa", {}), not_whole},
      {"ssh-rsa " + data, "1: has a key that is of another type than the word before it says"},
      {"ssh-dss " + data_of("ssh-dss", {"p"}), unknown_type},
      {"ssh-ed25591 " + data, unknown_type},
      {"SSH-ED25519 " + data, no_type},
      {data, no_type},
      {"command=\"x ssh-ed25519 " + data, "1: has options with an open quote"},
      {"no-pty, no-X11-forwarding " + ed25519_key, no_type},
      {ed25519_key + "\\n" + ecdsa_key, several},
      {ed25519_key + " me@here\\n" + ecdsa_key, several},
      {ed25519_key + " me@here\\r\\n" + ecdsa_key, several},
      {ed25519_key + " me@here " + ecdsa_key + " you@there", several},
      {ed25519_key + "\\n", several},
      {ed25519_key + " me@here," + ecdsa_key, several},
      {ed25519_key + "," + ecdsa_key + ",", several},
      {ed25519_key + ";" + ecdsa_key, several},
      {"~/.ssh/id_ed25519.pub", path},
      {"/run/secrets/key", path},
      {"id_ed25519.pub", path},
      {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END", "1: begins a private key"},
      {"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "1: begins a private key"},
      {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA",
       "1: begins a key in a format that OpenSSH does not read here"},
  };
  for (const auto& [text, fault] : rows) {
    CAPTURE(text);
    CHECK(faults_of(text) == Strings{fault});
  }
}

TEST_CASE("a key behind what sshd takes for no option would let nobody in") {
  const auto fault = [](const std::string& option) {
    return Strings{"1: has '" + option +
                   "' before its key, which OpenSSH takes for no option, so that the key would "
                   "not count"};
  };
  struct Row {
    std::string options;
    std::string unknown;
  };
  const std::vector<Row> rows = {
      {"-", "-"},
      {"host", "host"},
      {"192.0.2.1,server", "192.0.2.1"},
      {"no-ptty", "no-ptty"},
      {"ptyx", "ptyx"},
      {"no-restrict", "no-restrict"},
      {"no-pty,", ""},
      {"no-pty,,restrict", ""},
      {"pty=\"yes\"", "pty"},
      {"command=\"a, b\",frob=\"x\"", "frob"},
      {std::string(100, 'x'), std::string(40, 'x')},
  };
  for (const auto& [options, unknown] : rows) {
    CAPTURE(options);
    CHECK(faults_of(options + " " + ed25519_key) == fault(unknown));
  }
  for (const auto* option : {"command", "command=", "command=ls"}) {
    CAPTURE(option);
    CHECK(
        faults_of(option + (" " + ed25519_key)) ==
        Strings{"1: has the option 'command' without a value in quotes, so that the key would not "
                "count"});
  }
  for (const auto* options :
       {"RESTRICT", "No-Pty,no-X11-Forwarding,no-user-rc", "touch-required,no-touch-required",
        "cert-authority,principals=\"a,b\"", "environment=\"A=\\\"b c\\\"\",tunnel=\"0\"",
        "permitopen=\"h:1\",permitlisten=\"2\",expiry-time=\"20300101\"", "command=\"\""}) {
    CAPTURE(options);
    CHECK(faults_of(options + (" " + ed25519_key)).empty());
  }
}

TEST_CASE("a line that is no key does not hide the keys around it") {
  const auto read = read_public_keys(ed25519_key + "\n\nssh-rsa\n" + ecdsa_key);
  CHECK(read.keys == Strings{ed25519_key, ecdsa_key});
  CHECK(read.faults ==
        std::vector<KeyFault>{
            {3, "has no key behind its type",
             "give the contents of a .pub file, for instance \"$(cat ~/.ssh/id_ed25519.pub)\""}});
}

}  // namespace vmr::test
