// SPDX-License-Identifier: MIT
// Who is the default user; each row was tried with cloud-init's own code.
#include "spec/default_user.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace vmr {
namespace {

TEST_CASE("the default user is made unless users leaves it out") {
  const std::vector<std::pair<std::string, bool>> rows = {
      {"{}", true},
      {"users: [default, alice]", true},
      {"users: [{name: default}]", true},
      {"users: [{shell: /bin/sh}]", true},
      {"users: [[alice, default]]", true},
      {"users: ['alice,default']", true},
      {"users: 'alice,default'", true},
      {"users: {default: true, alice: true}", true},
      {"users: {default: {shell: x}}", true},
      {"user: bob\nusers: [alice]", true},
      {"user: {name: bob}\nusers: {alice: true}", true},
      {"user: bob\nusers: ~", true},
      {"users: [{name: alice}]", false},
      {"users: [alice]", false},
      {"users: ['alice, default']", false},
      {"users: [{name: debian}]", false},
      {"users: []", false},
      {"users: ''", false},
      {"users: ~", false},
      {"users: 3", false},
      {"users: {default: false}", false},
      {"user: bob\nusers: {default: false}", false},
      {"user: ~\nusers: [alice]", false}};
  for (const auto& [config, expected] : rows) {
    CAPTURE(config);
    CHECK(has_default_user(read_yaml(config).value) == expected);
  }
}

TEST_CASE("root has the keys of the default user where disable_root is false") {
  CHECK_FALSE(is_root_let_in(read_yaml("{}").value));
  CHECK_FALSE(is_root_let_in(read_yaml("disable_root: true").value));
  CHECK(is_root_let_in(read_yaml("disable_root: false").value));
}

}  // namespace
}  // namespace vmr
