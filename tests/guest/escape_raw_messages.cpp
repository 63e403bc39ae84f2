// SPDX-License-Identifier: MIT
#include "guest/escape_attempt.hpp"
#include "guest/raw_share.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <map>
#include <sys/stat.h>

namespace vmr::guest {
namespace {

using test::by_raw_messages;

const std::string canary(test::canary_file);

/// The raw messages of one share.
class Raw {
 public:
  Raw(const Attempt& attempt, RawShare& share) : attempt_(attempt), share_(share) {
    base_ = share.root();
    if (!attempt.below.empty()) base_ = share.walk(base_, {attempt.below.substr(1)}).value();
  }

  void try_all();

 private:
  void abuse_one(std::optional<Node> node);
  void abuse(std::optional<Node> node);
  void try_dots();
  void try_moved_folder();
  void try_symlink(const std::string& maker, const std::string& kind);
  void try_slashes(std::string_view what, const std::function<void(const std::string&)>& call);
  void try_odd_names();
  void try_forged();
  void try_special(std::string_view what, mode_t mode, const std::function<bool(Node)>& is_opened);

  void begin(std::string_view what) {
    number_ = test::trick_number(by_raw_messages, what);
    attempt_.say(number_, "tried");
  }
  [[nodiscard]] std::string own(const std::string& name) const {
    return name + "-" + std::to_string(number_);
  }
  std::optional<Node> walk(const std::vector<std::string>& names) {
    return share_.walk(base_, names);
  }

  const Attempt& attempt_;
  RawShare& share_;
  Node base_ = 0;
  std::size_t number_ = 0;
};

/// All that one may do with `node`, whatever it is.
void Raw::abuse_one(std::optional<Node> node) {
  if (!node) return;
  attempt_.say(number_, share_.read(*node).value_or(""));
  attempt_.say(number_, share_.list(*node).value_or(""));
  std::string done;
  if (share_.set_mode(*node, 0666)) done += " mode";
  if (share_.set_owner(*node, 1)) done += " owner";
  if (share_.set_time(*node, 1)) done += " time";
  for (const std::string name : {"user.escape", "trusted.escape", "user.virtfs.uid"}) {
    if (share_.set_xattr(*node, name, "1234")) done += " " + name;
  }
  if (share_.create(*node, "made")) done += " create";
  if (share_.make_folder(*node, "made-folder")) done += " folder";
  if (share_.write(*node, "x")) done += " write";
  if (share_.set_size(*node, 1)) done += " size";
  attempt_.say(number_, "did" + done);
}

/// The same with the canary in it.
void Raw::abuse(std::optional<Node> node) {
  if (!node) return;
  abuse_one(share_.walk(*node, {canary}));
  abuse_one(node);
}

void Raw::try_dots() {
  begin("`..`");
  const std::string outside(test::outside_folder);
  const auto folder = std::to_string(number_);
  abuse(walk({"..", outside, folder}));
  auto node = walk({".."});
  if (node) share_.set_mode(*node, 0751);
  for (const auto& name : {outside, folder}) node = node ? share_.walk(*node, {name}) : node;
  abuse(node);
  share_.make_folder(base_, own("sub"));
  abuse(walk({own("sub"), "..", "..", outside, folder}));
  abuse(walk({".", "..", outside, folder}));
  share_.create(base_, own("file"));
  for (const std::string name : {"..", "."}) {
    share_.create(base_, name);
    share_.make_folder(base_, name);
    share_.make_symlink(base_, name, "x");
    share_.make_special(base_, name, S_IFIFO | 0644, 0, 0);
    if (const auto file = walk({own("file")})) share_.link(*file, base_, name);
    share_.rename(base_, own("file"), base_, name);
    share_.rename(base_, name, base_, own("stolen"));
    share_.remove(base_, name, true);
  }
}

void Raw::try_moved_folder() {
  const std::string folder(test::folder_to_move);
  const std::string outside(test::outside_folder);
  share_.make_folder(base_, folder);
  const auto held = walk({folder});
  share_.create(base_, std::string(test::asks_to_move));
  const auto started = std::time(nullptr);
  while (walk({folder})) {
    if (std::time(nullptr) - started > 60) return;
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  begin("`..` in a folder that the host moves out");
  auto up = held;
  for (int depth = 0; up && depth < 3; ++depth) {
    up = share_.walk(*up, {".."});
    if (up) abuse(share_.walk(*up, {outside, std::to_string(number_)}));
  }
  if (!held) return;
  const auto way = "../../" + outside + "/" + std::to_string(number_) + "/";
  share_.make_folder(*held, way + "made");
  share_.rename(*held, way + canary, base_, own("stolen"));
  abuse(walk({own("stolen")}));
}

void Raw::try_symlink(const std::string& maker, const std::string& kind) {
  begin(kind + " symlink of the " + maker);
  const auto target = kind == "relative" ? Attempt::relative(number_) : attempt_.absolute(number_);
  const auto folder = test::link_to_folder(maker, number_);
  const auto file = test::link_to_canary(maker, number_);
  if (maker == "guest") {
    share_.make_symlink(base_, folder, target);
    share_.make_symlink(base_, file, target + "/" + canary);
  }
  abuse(walk({folder, canary}));
  abuse(walk({folder}));
  abuse(walk({file}));
  if (const auto link = walk({file}); link && share_.link(*link, base_, own("hard"))) {
    abuse(walk({own("hard")}));
  }
  share_.make_symlink(base_, own("dangling"), target + "/made");
  share_.create(base_, own("dangling"));
  share_.make_folder(base_, own("dangling"));
  share_.create(base_, file);
}

/// Calls `call` with every beginning of a name that leads to the trick's folder.
void Raw::try_slashes(std::string_view what, const std::function<void(const std::string&)>& call) {
  begin(what);
  share_.create(base_, own("own"));
  share_.make_symlink(base_, own("relative"), Attempt::relative(number_));
  share_.make_symlink(base_, own("absolute"), attempt_.absolute(number_));
  for (const auto& way : {Attempt::relative(number_), attempt_.absolute(number_), own("relative"),
                          own("absolute"), "./" + Attempt::relative(number_)}) {
    call(way + "/");
  }
  // What the same message does with a name that has none: the test looks for it.
  call("");
}

void Raw::try_odd_names() {
  begin("empty or long name");
  const auto behind = Attempt::relative(number_) + "/" + canary;
  std::string dots;
  while (dots.size() < 6000) dots += "./";
  std::vector<std::string> names = {{},
                                    std::string(255, 'x'),
                                    std::string(256, 'x'),
                                    std::string(6000, 'x'),
                                    std::string(4095, '/') + behind,
                                    dots + behind};
  const std::string nul(1, '\0');
  if (share_.survives_nul()) names.insert(names.end(), {nul, ".." + nul, "x" + nul + "/"});
  for (const auto& name : names) {
    abuse(walk({name}));
    abuse(walk({name, std::string(test::outside_folder), std::to_string(number_)}));
    share_.make_folder(base_, name);
    share_.make_symlink(base_, name, behind);
    share_.create(base_, name);
  }
}

void Raw::try_forged() {
  begin("forged number of a file");
  constexpr std::uint64_t most = 400;
  for (std::uint64_t i = 0; i < most + 64; ++i) {
    const auto node = share_.forged(i < most ? i : std::uint64_t{1} << (i - most));
    const auto text = share_.read(node).value_or("") + share_.list(node).value_or("");
    if (text.find(canary) != text.npos) attempt_.say(number_, text);
    auto file = std::optional(node);
    for (const auto& name :
         {std::string(".."), std::string(test::outside_folder), std::to_string(number_), canary}) {
      file = file ? share_.walk(*file, {name}) : file;
    }
    abuse_one(file);
  }
}

void Raw::try_special(std::string_view what, mode_t mode,
                      const std::function<bool(Node)>& is_opened) {
  begin(what);
  share_.make_special(base_, own("special"), mode | 0666, 1, 5);
  const auto node = walk({own("special")});
  if (node && is_opened(*node)) attempt_.say(number_, std::string(test::opened_mark));
}

void Raw::try_all() {
  try_dots();
  for (const std::string maker : {"guest", "host"}) {
    for (const std::string kind : {"relative", "absolute"}) try_symlink(maker, kind);
  }
  try_slashes("name with `/` looked up", [&](const std::string& way) {
    abuse(walk({way}));
    abuse(walk({way + canary}));
  });
  try_slashes("name with `/` created",
              [&](const std::string& way) { share_.create(base_, way + own("made")); });
  try_slashes("name with `/` for a folder",
              [&](const std::string& way) { share_.make_folder(base_, way + own("made")); });
  try_slashes("name with `/` for a symlink",
              [&](const std::string& way) { share_.make_symlink(base_, way + own("made"), "x"); });
  try_slashes("name with `/` for a device", [&](const std::string& way) {
    share_.make_special(base_, way + own("made"), S_IFCHR | 0666, 1, 5);
  });
  try_slashes("name with `/` hard-linked", [&](const std::string& way) {
    if (const auto file = walk({own("own")})) share_.link(*file, base_, way + own("made"));
  });
  try_slashes("name with `/` renamed", [&](const std::string& way) {
    share_.create(base_, own("own"));
    share_.rename(base_, own("own"), base_, way + own("made"));
    share_.rename(base_, way + canary, base_, own("stolen"));
    abuse(walk({own("stolen")}));
  });
  try_slashes("name with `/` removed", [&](const std::string& way) {
    share_.remove(base_, way.empty() ? own("own") : way + canary, false);
  });
  try_odd_names();
  try_forged();
  try_special("device opened", S_IFCHR, [&](Node node) {
    return share_.read(node).value_or("").starts_with(std::string(16, '\0'));
  });
  const auto opens = [&](Node node) { return share_.open(node, O_RDONLY | O_NONBLOCK); };
  try_special("fifo opened", S_IFIFO, opens);
  try_special("socket opened", S_IFSOCK, opens);
  // The last one: files that were reached this way keep numbers that others could forge.
  try_moved_folder();
}

}  // namespace

void try_raw_messages(const Attempt& attempt, const std::string& driver,
                      const std::string& address) {
  const auto share = driver == "9p" ? raw_9p(address) : raw_fuse(address);
  Raw(attempt, *share).try_all();
}

}  // namespace vmr::guest
