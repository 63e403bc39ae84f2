// SPDX-License-Identifier: MIT
#include "support/security.hpp"

#include "base/own_user.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace vmr::test {
namespace {

namespace json = boost::json;

std::string list_of(const json::value& words) {
  std::string text;
  for (const auto& word : words.as_array()) {
    text += (text.empty() ? "" : " ") + std::string(word.as_string());
  }
  return text.empty() ? "none" : text;
}

std::string user_of(std::int64_t uid) {
  if (uid == 0) return "root";
  return uid >= first_own_user && uid <= last_own_user ? "its own" : fmt::format("{}", uid);
}

}  // namespace

ObservedColumn security_column(const std::string& text) {
  ObservedColumn column;
  const auto processes = json::parse(text);
  for (const auto& value : processes.as_array()) {
    const auto& process = value.as_object();
    const std::string name(process.at("name").as_string());
    const auto add = [&](const std::string& what, const std::string& cell) {
      column.push_back({{name, what}, cell});
    };
    add("user", user_of(process.at("uid").as_int64()));
    add("capabilities", list_of(process.at("capabilities")));
    add("seccomp", std::string(process.at("seccomp").as_string()));
    add("no_new_privs", process.at("no_new_privs").as_bool() ? "yes" : "no");
    const auto& namespaces = process.at("namespaces");
    add("own namespaces", namespaces.is_null() ? "cannot be seen" : list_of(namespaces));
  }
  return column;
}

void check_security(const std::string& json, const std::string& header) {
  check_observed_table("security.md", "processes", {{header, security_column(json)}});
}

}  // namespace vmr::test
