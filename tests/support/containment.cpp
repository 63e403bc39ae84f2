// SPDX-License-Identifier: MIT
#include "support/containment.hpp"

#include "build_paths.hpp"
#include "host/probe.hpp"
#include "support/escape_tricks.hpp"
#include "support/guest.hpp"
#include "support/wait_for_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

const std::string canary(canary_file);
const std::string asked(asks_to_move);

void look_at_file(const std::string& name, const std::string& path, OutsideView& view) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return;
  std::array<char, 1000> names{};
  const auto size = ::llistxattr(path.c_str(), names.data(), names.size());
  const std::string attributes(names.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  view.metadata[name] = fmt::format("{}:{} {:o} {} {}", facts.st_uid, facts.st_gid, facts.st_mode,
                                    S_ISDIR(facts.st_mode) ? 0 : facts.st_nlink, attributes);
  view.times[name] = fmt::format("{}.{}", facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
  if (S_ISREG(facts.st_mode)) view.contents[name] = read_file(path);
}

OutsideView look_at(const std::string& folder, std::size_t number) {
  OutsideView view;
  look_at_file("", folder, view);
  // The one trick that takes hold of the folder around the shared one.
  if (number == trick_number(by_raw_messages, "`..`")) look_at_file("..", folder + "/../..", view);
  std::string names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    look_at_file(name, entry.path(), view);
    names += name + "\n";
  }
  view.contents[""] = names;
  return view;
}

/// Whether something that is still there has changed without its contents.
bool is_metadata_changed(const OutsideView& before, const OutsideView& after) {
  for (const auto& [name, facts] : before.metadata) {
    const auto now = after.metadata.find(name);
    if (now == after.metadata.end()) continue;
    const auto contents = before.contents.find(name);
    const auto contents_now = after.contents.find(name);
    const bool same_contents = contents == before.contents.end() ||
                               (contents_now != after.contents.end() && *contents == *contents_now);
    if (now->second != facts) return true;
    if (same_contents && before.times.at(name) != after.times.at(name)) return true;
  }
  return false;
}

/// Of the links in the share that the host has made.
void link_to(const std::string& shared, const std::string& target, std::size_t number) {
  fs::create_symlink(target, shared + "/" + link_to_folder("host", number));
  fs::create_symlink(target + "/" + canary, shared + "/" + link_to_canary("host", number));
}

/// Whether leftover `number` at `path` is what the guest meant it to be.
bool is_left(std::size_t number, const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return false;
  const auto has = [&](const char* name) {
    return ::lgetxattr(path.c_str(), name, nullptr, 0) > 0;
  };
  switch (number) {
    case 0:
      return S_ISREG(facts.st_mode) && facts.st_uid == 0 && (facts.st_mode & S_ISUID) != 0;
    case 1:
      return S_ISCHR(facts.st_mode);
    case 2:
      return S_ISLNK(facts.st_mode);
    case 3:
      return has("security.capability");
    default:
      return has("trusted.escape");
  }
}

/// What the documentation says does not hold, with what may come of it: Landlock knows nothing of
/// owners, modes and times.
bool is_known_hole(const ContainedShare& share, const EscapeTrick& trick, const std::string& cell) {
  if (cell != "metadata changed") return false;
  const auto sandbox = share.settings.find("SANDBOX");
  if (sandbox == share.settings.end()) return false;
  const bool is_mount = share.settings.contains("SOURCE");
  return sandbox->second == "none" || (sandbox->second == "chroot" && !is_mount &&
                                       trick.what == "`..` in a folder that the host moves out");
}

/// Where the share at `position` is in the machine, as the plan of shares puts it.
std::string pci_address(std::size_t position) {
  return fmt::format("0000:00:{:02x}.{}", 0x10 + position / 8, position % 8);
}

}  // namespace

std::vector<ContainedShare> ninep_contained_shares(const std::string& qemu) {
  std::vector<ContainedShare> shares;
  for (const std::string mode : {"passthrough", "mapped", "squash"}) {
    shares.push_back({mode, "9p, " + mode, qemu, {{"DRIVER", "9p"}, {"ACCESSMODE", mode}}, false});
  }
  return shares;
}

ContainedShare virtiofs_contained_share(const std::string& family, const std::string& sandbox) {
  return {sandbox,
          fmt::format("virtiofs ({}), {}", family, sandbox),
          "",
          {{"DRIVER", "virtiofs"}, {"SANDBOX", sandbox}, {"XATTR", "1"}},
          false};
}

ContainedShare control_share(ContainedShare share) {
  share.tag += "-control";
  share.is_control = true;
  return share;
}

Containment::Containment(std::vector<ContainedShare> shares, const std::string& seen_as)
    : shares_(std::move(shares)), seen_as_(seen_as.empty() ? folder() : seen_as) {
  REQUIRE_MESSAGE(::geteuid() == 0, "run this as root: nobody else can be kept from everything");
  for (const auto& share : shares_) make(share.tag);
  fs::create_directory(folder_ / "tools");
  fs::copy_file(ESCAPE_SHARE, folder_ / "tools/escape_share");
  mover_ = std::thread([this] { move_folders_out(); });
}

Containment::~Containment() {
  // Whatever the guest did not come to is still waited for.
  for (const auto& share : shares_) write_text(inside(share.tag) + "/" + asked, "");
  mover_.join();
}

void Containment::move_folders_out() const {
  for (const auto& share : shares_) {
    if (!wait_for_file(inside(share.tag) + "/" + asked, std::chrono::minutes(5))) return;
    std::error_code ignored;
    fs::rename(inside(share.tag) + "/" + std::string(folder_to_move),
               folder_ / share.tag + "/elsewhere/moved", ignored);
  }
}

std::string Containment::inside(const std::string& tag) const {
  return fmt::format("{}/{}/{}", folder(), tag, inside_folder);
}

std::string Containment::outside(const std::string& tag, std::size_t number) const {
  return fmt::format("{}/{}/{}/{}", folder(), tag, outside_folder, number);
}

void Containment::make(const std::string& tag) {
  const auto shared = inside(tag);
  fs::create_directories(shared);
  fs::create_directories(folder_ / tag + "/elsewhere");
  for (std::size_t number = 0; number < escape_tricks.size(); ++number) {
    const auto path = outside(tag, number);
    const auto secret = random_digits();
    fs::create_directories(path);
    write_text(path + "/" + canary, secret);
    write_text(path + "/name-" + secret, "");
    REQUIRE(::chmod((path + "/" + canary).c_str(), 0600) == 0);
    const std::array<timespec, 2> long_ago = {timespec{1'000'000'000, 0}, {1'000'000'000, 0}};
    for (const auto& file : {path + "/" + canary, path}) {
      REQUIRE(::utimensat(AT_FDCWD, file.c_str(), long_ago.data(), 0) == 0);
    }
    const auto what = escape_tricks.at(number).what;
    if (what == "relative symlink of the host") {
      link_to(shared, fmt::format("../{}/{}", outside_folder, number), number);
    } else if (what == "absolute symlink of the host") {
      link_to(shared, fmt::format("{}/{}/{}/{}", seen_as_, tag, outside_folder, number), number);
    }
    canaries_[tag].push_back({secret, look_at(path, number)});
  }
}

Launcher::Variables Containment::settings() const {
  auto variables = share(1, {{"SOURCE", seen_as_ + "/tools"}, {"DRIVER", "9p"}, {"READONLY", "1"}});
  int number = 1;
  for (const auto& each : shares_) {
    const auto source =
        seen_as_ + "/" + each.tag + (each.is_control ? "" : "/" + std::string(inside_folder));
    const auto own =
        share(++number, {{"SOURCE", source}, {"TARGET", each.tag}, {"PRIVILEGED_FILES", "1"}});
    variables = join(join(variables, own), share(number, each.settings));
  }
  return variables;
}

std::string Containment::script() const {
  std::string script;
  std::size_t position = 0;
  for (const auto& each : shares_) {
    script += fmt::format("/mnt/tools/escape_share {0} {1} {2} '{3}' '{4}/{0}/{5}'\n", each.tag,
                          each.settings.at("DRIVER"), pci_address(++position),
                          each.is_control ? "/" + std::string(inside_folder) : "", seen_as_,
                          outside_folder);
  }
  return script;
}

std::string Containment::outcome(const std::string& tag, std::size_t number,
                                 const std::string& console) const {
  const auto says = [&](const std::string& text) { return console.find(text) != console.npos; };
  const auto mark = trick_mark(tag, number);
  if (!says(mark + "tried")) return "not tried";
  const auto& before = canaries_.at(tag).at(number);
  const auto after = look_at(outside(tag, number), number);
  std::vector<std::string> done;
  const auto special = fmt::format("{}/special-{}", inside(tag), number);
  if (says(mark + std::string(opened_mark)) && !fs::is_regular_file(special)) {
    done.emplace_back("opened");
  }
  if (says(before.secret)) done.emplace_back("read");
  if (before.before.contents != after.contents) done.emplace_back("written");
  if (is_metadata_changed(before.before, after)) done.emplace_back("metadata changed");
  return done.empty() ? "held" : fmt::format("{}", fmt::join(done, ", "));
}

std::vector<std::string> Containment::escapes(const ContainedShare& share,
                                              const std::string& console) const {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < escape_tricks.size(); ++i) {
    const auto cell = outcome(share.tag, i, console);
    const auto& trick = escape_tricks.at(i);
    if (is_known_hole(share, trick, cell)) continue;
    if (cell != "held") found.push_back(fmt::format("{}, {}: {}", trick.way, trick.what, cell));
  }
  return found;
}

std::vector<std::string> Containment::void_messages(const std::string& tag) const {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < escape_tricks.size(); ++i) {
    const auto what = escape_tricks.at(i).what;
    const auto path = [&](const char* name) {
      return fmt::format("{}/{}-{}", inside(tag), name, i);
    };
    if (!what.starts_with("name with `/`") || what == "name with `/` looked up") continue;
    const bool is_done = what == "name with `/` removed"
                             ? !fs::exists(path("own"))
                             : fs::exists(fs::symlink_status(path("made")));
    if (!is_done) found.emplace_back(what);
  }
  return found;
}

void Containment::check_control(const ContainedShare& share, const std::string& console) const {
  for (const auto& [way, what] : {std::pair{by_system_calls, "`..`"},
                                  {by_system_calls, "relative symlink of the guest"},
                                  {by_system_calls, "relative symlink of the host"}}) {
    CAPTURE(std::string(way) + " " + what);
    CHECK(outcome(share.tag, trick_number(way, what), console) ==
          "read, written, metadata changed");
  }
  // Which raw message gets out depends on the other side; one that does shows that they arrive.
  std::size_t got_out = 0;
  for (std::size_t i = 0; i < escape_tricks.size(); ++i) {
    const bool is_raw = escape_tricks.at(i).way == by_raw_messages;
    if (is_raw && outcome(share.tag, i, console).starts_with("read, written")) ++got_out;
  }
  CHECK(got_out > 0);
  auto expected = std::vector<std::string>{};
  // It makes no special files at all.
  if (share.qemu == "QEMU 7.2") expected = {"name with `/` for a device"};
  CHECK(void_messages(share.tag) == expected);
}

void Containment::check_table(const std::string& console) const {
  for (const auto& each : shares_) {
    if (each.is_control) continue;
    ObservedColumn column;
    for (std::size_t i = 0; i < escape_tricks.size(); ++i) {
      const auto& trick = escape_tricks.at(i);
      column.push_back(
          {{std::string(trick.way), std::string(trick.what)}, outcome(each.tag, i, console)});
    }
    for (std::size_t i = 0; i < escape_leftovers.size(); ++i) {
      const bool left = is_left(i, inside(each.tag) + "/" + leftover_name(i));
      column.push_back({{"left in the share", std::string(escape_leftovers.at(i))},
                        left ? "there" : "not there"});
    }
    check_observed_table("security.md", "containment", {{each.column, column}}, each.qemu);
  }
}

void Containment::check(const std::string& console) const {
  for (const auto& each : shares_) {
    CAPTURE(each.tag);
    CHECK(console.find("ESCAPE " + each.tag + " tried everything") != console.npos);
    if (each.is_control) {
      check_control(each, console);
    } else {
      CHECK(escapes(each, console) == std::vector<std::string>{});
    }
  }
  check_table(console);
}

}  // namespace vmr::test
