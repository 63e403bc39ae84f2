// SPDX-License-Identifier: MIT
// What the fake QEMU says, and how it reads what it is told.
#pragma once

#include "fake.hpp"

#include <map>
#include <string>
#include <sys/time.h>

namespace fake {

inline constexpr auto version =
    "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n"
    "Copyright (c) 2003-2022 Fabrice Bellard and the QEMU Project developers\n";
inline constexpr auto accelerators = "Accelerators supported in QEMU binary:\ntcg\nkvm\n";
inline constexpr auto devices =
    "Storage devices:\n"
    "name \"vhost-user-fs-pci\", bus PCI\n"
    "name \"virtio-9p-pci\", bus PCI, alias \"virtio-9p\"\n";
inline constexpr auto greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, )"
    R"("package": "Debian 1:7.2+dfsg-7+deb12u18"}, "capabilities": ["oob"]}})";
inline constexpr auto kvm_assertion =
    "qemu-system-x86_64: error: failed to set MSR 0x48f to 0x7fefff00036dfb\n"
    "qemu-system-x86_64: ../../target/i386/kvm/kvm.c:2893: kvm_buf_set_msrs: Assertion "
    "`ret == cpu->kvm_msr_buf->nmsrs' failed.\n";

/// "socket,id=qmp,fd=3" as key → value; the first word has the key "". A doubled comma is one.
inline std::map<std::string, std::string> parse_option(const std::string& text) {
  std::map<std::string, std::string> values;
  std::string word;
  const auto end_word = [&] {
    const auto equals = word.find('=');
    if (equals == word.npos) {
      values[values.empty() ? "" : word] = word;
    } else {
      values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' && text.substr(i, 2) != ",,") {
      end_word();
    } else {
      if (text[i] == ',') ++i;
      word += text[i];
    }
  }
  end_word();
  return values;
}

inline bool uses_kvm(const Arguments& argv) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i] == "-enable-kvm" || argv[i].find("accel=kvm") != std::string::npos) return true;
    if (argv[i - 1] == "-accel" && argv[i].substr(0, argv[i].find(',')) == "kvm") return true;
  }
  return false;
}

/// The value of "key" in one QMP message, as it is written there; empty when it is not there.
inline std::string json_value(const std::string& message, const std::string& key) {
  auto at = message.find('"' + key + '"');
  if (at == message.npos) return "";
  at = message.find_first_not_of(" \t:", at + key.size() + 2);
  return message.substr(at, message.find_first_of(",} \t\r\n", at) - at);
}

/// An event of QMP, with `data` where there is any.
inline std::string event_text(const std::string& event, const std::string& data) {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  return "{\"timestamp\": {\"seconds\": " + std::to_string(now.tv_sec) +
         ", \"microseconds\": " + std::to_string(now.tv_usec) + "}, \"event\": \"" + event + "\"" +
         (data.empty() ? "" : ", \"data\": " + data) + "}";
}

}  // namespace fake
