// SPDX-License-Identifier: MIT
#include "support/host_toml.hpp"

#include "support/hosts.hpp"

#include <toml++/toml.h>

#include <functional>
#include <map>
#include <stdexcept>

namespace vmr::test {
namespace {

using Readers = std::map<std::string, std::function<void(const toml::node&)>>;

/// Gives every key of `table` to its reader.
void read_table(const toml::table& table, const Readers& readers) {
  for (const auto& [key, value] : table) {
    const auto reader = readers.find(std::string(key.str()));
    if (reader == readers.end()) {
      throw std::runtime_error("host.toml: unknown key " + std::string(key.str()));
    }
    reader->second(value);
  }
}

template <typename T>
T value_of(const toml::node& node) {
  const auto value = node.value<T>();
  if (!value) throw std::runtime_error("host.toml: a value of the wrong type");
  return *value;
}

/// A reader that stores a value in `field`.
template <typename T>
std::function<void(const toml::node&)> into(T& field) {
  return [&field](const toml::node& node) { field = value_of<T>(node); };
}

/// The meaning of a word.
template <typename T>
T choose(const std::string& word, const std::map<std::string, T>& meanings) {
  const auto found = meanings.find(word);
  if (found == meanings.end()) throw std::runtime_error("host.toml: unknown word " + word);
  return found->second;
}

/// Sets exactly the flags that an array of words names.
std::function<void(const toml::node&)> into_flags(const std::map<std::string, bool*>& flags) {
  return [flags](const toml::node& node) {
    for (const auto& [word, flag] : flags) *flag = false;
    if (!node.is_array()) throw std::runtime_error("host.toml: not an array of words");
    for (const auto& word : *node.as_array()) {
      *choose(value_of<std::string>(word), flags) = true;
    }
  };
}

Host host_like(const std::string& name) {
  return choose<Host (*)()>(
      name,
      {{"docker", docker_host}, {"debian-12", debian_12_host}, {"ordinary-user", ordinary_user}})();
}

FileFacts file_facts(const std::string& word) {
  using Kind = FileFacts::Kind;
  return choose<FileFacts>(word,
                           {{"folder", folder()},
                            {"file", regular_file()},
                            {"other", {Kind::other, true, false}},
                            {"unreadable-folder", {Kind::directory, false, false}},
                            {"unreadable-file", {Kind::regular, false, false}},
                            {"read-only-mount", {Kind::directory, true, true, {1000, 1000}, 0755}},
                            {"root-folder", {Kind::directory, true, false, {0, 0}, 0755}},
                            {"missing", {}}});
}

void read_virtiofsd(const toml::node& node, Host& host) {
  host.virtiofsd.reset();
  if (!node.is_table()) return;
  VirtiofsdFacts facts;
  read_table(*node.as_table(),
             {{"path", into(facts.path)},
              {"family",
               [&](const toml::node& word) {
                 facts.family = choose<VirtiofsdFacts::Family>(
                     value_of<std::string>(word),
                     {{"c", VirtiofsdFacts::Family::c}, {"rust", VirtiofsdFacts::Family::rust}});
               }},
              {"can", into_flags({{"readonly", &facts.has_readonly},
                                  {"sandbox-none", &facts.has_sandbox_none},
                                  {"file-handles", &facts.has_file_handles},
                                  {"translation", &facts.has_translation},
                                  {"modcaps", &facts.has_modcaps},
                                  {"announce-submounts", &facts.has_announce_submounts},
                                  {"killpriv-v2", &facts.has_killpriv_v2}})}});
  host.virtiofsd = facts;
}

void read_guest(const toml::node& node, Host& host) {
  host.guest.reset();
  if (!node.is_table()) return;
  GuestImage guest;
  read_table(*node.as_table(), {{"name", into(guest.name)},
                                {"kernel", into(guest.kernel)},
                                {"initrd", into(guest.initrd)},
                                {"disk", into(guest.disk)},
                                {"disk_format", into(guest.disk_format)},
                                {"cmdline", into(guest.cmdline)},
                                {"login_user", into(guest.login_user)}});
  host.guest = guest;
}

void read_kvm(const toml::node& node, Host& host) {
  host.kvm.state = choose<KvmFacts::State>(value_of<std::string>(node),
                                           {{"missing", KvmFacts::State::missing},
                                            {"no-permission", KvmFacts::State::no_permission},
                                            {"opens", KvmFacts::State::opens}});
}

void read_files(const toml::node& node, Host& host) {
  if (!node.is_table()) throw std::runtime_error("host.toml: files is no table");
  for (const auto& [path, word] : *node.as_table()) {
    host.files[std::string(path.str())] = file_facts(value_of<std::string>(word));
  }
}

}  // namespace

Host read_host(std::string_view text) {
  const auto table = toml::parse(text);
  Host host = host_like(table["like"].value_or(std::string("docker")));
  auto& can = host.abilities;
  read_table(table,
             {{"like", [](const toml::node&) {}},
              {"uid", into(host.uid)},
              {"gid", into(host.gid)},
              {"is_pid_1", into(host.is_pid_1)},
              {"surroundings",
               [&](const toml::node& node) {
                 host.surroundings = choose<Surroundings>(
                     value_of<std::string>(node),
                     {{"machine", Surroundings::machine}, {"docker", Surroundings::docker}});
               }},
              {"own_network", into(host.own_network)},
              {"home", into(host.home)},
              {"working_folder", into(host.working_folder)},
              {"runtime_folder", into(host.runtime_folder)},
              {"kvm", [&](const toml::node& node) { read_kvm(node, host); }},
              {"kvm_reason", into(host.kvm.reason)},
              {"qemu", into(host.qemu)},
              {"qemu_problem", into(host.qemu_problem)},
              {"virtiofsd", [&](const toml::node& node) { read_virtiofsd(node, host); }},
              {"virtiofsd_problem", into(host.virtiofsd_problem)},
              {"abilities", into_flags({{"sys_admin", &can.sys_admin},
                                        {"unshare_fs", &can.unshare_fs},
                                        {"chroot", &can.chroot},
                                        {"user_namespace", &can.user_namespace},
                                        {"dac_read_search", &can.dac_read_search}})},
              {"other_user", into(host.other_user)},
              {"landlock", into(host.landlock)},
              {"open_files_limit", into(host.open_files_limit)},
              {"guest", [&](const toml::node& node) { read_guest(node, host); }},
              {"guest_problem", into(host.guest_problem)},
              {"user_data", into(host.user_data)},
              {"user_data_problem", into(host.user_data_problem)},
              {"free_ssh_port",
               [&](const toml::node& node) { host.free_ssh_port = value_of<std::uint16_t>(node); }},
              {"random", into(host.random)},
              {"files", [&](const toml::node& node) { read_files(node, host); }}});
  return host;
}

}  // namespace vmr::test
