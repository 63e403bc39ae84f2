// SPDX-License-Identifier: MIT
#include "support/file_work.hpp"

#include "base/shell_words.hpp"
#include "host/capture.hpp"
#include "support/guest.hpp"
#include "support/text_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmr::test {
namespace {

namespace fs = std::filesystem;

/// Looks at what a job left in the folder; empty when that is right.
using HostsView = std::string (*)(const std::string& folder);

struct Job {
  const char* key;  ///< in tests/guest/file_work.py
  const char* group;
  const char* title;
  HostsView view = nullptr;
};

/// "0123456789abcdef", 4096 times.
std::string pattern() {
  std::string text;
  for (int i = 0; i < 4096; ++i) text += "0123456789abcdef";
  return text;
}

/// Every name of an x and one more byte; only those of even bytes if so wished.
std::vector<std::string> byte_names(bool only_even) {
  std::vector<std::string> names;
  for (int byte = 1; byte < 256; ++byte) {
    const bool wanted = byte != '/' && (byte % 2 == 0 || !only_even);
    if (wanted) names.push_back({'x', static_cast<char>(byte)});
  }
  return names;
}

Captured run_in(const std::string& folder, const std::string& command) {
  return capture({"/bin/sh", "-c", "cd " + shell_quote(folder) + " && " + command});
}

std::string look_at_tar(const std::string& folder) {
  const auto sums = run_in(folder + "/back", "sha256sum --quiet -c ../files.sha256");
  return sums.ok ? "" : "other checksums";
}

std::string look_at_mmap(const std::string& folder) {
  return read_file(folder + "/mmap-written") == pattern() ? "" : "other contents";
}

std::string look_at_renamed(const std::string& folder) {
  return read_file(folder + "/renamed") == "new" ? "" : "other contents";
}

std::string look_at_sparse(const std::string& folder) {
  constexpr off_t size = (off_t{1} << 31) + 4;
  struct stat facts {};
  if (::stat((folder + "/sparse").c_str(), &facts) != 0) return "no file";
  if (facts.st_size != size) return fmt::format("size {}", facts.st_size);
  return facts.st_blocks * 512 < 1 << 20 ? "" : fmt::format("{} blocks", facts.st_blocks);
}

std::string look_at_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder + "/names")) {
    names.push_back(entry.path().filename().string());
    if (read_file(entry.path().string()) != names.back()) return "other contents";
  }
  auto wanted = byte_names(true);
  std::sort(names.begin(), names.end());
  std::sort(wanted.begin(), wanted.end());
  return names == wanted ? "" : "other names";
}

constexpr Job jobs[] = {
    {"git", "programs", "`git` init add commit clone fsck status"},
    {"tar-out", "programs", "`tar` of 5000 files out of the share"},
    {"tar-in", "programs", "`tar` of 5000 files into the share", look_at_tar},
    {"remove-tree", "programs", "`rm -r` of a repository"},
    {"many", "programs", "4,000 files listed and deleted"},
    {"execute", "programs", "a program run from the share"},
    {"sqlite-journal", "SQLite", "two writers with a rollback journal"},
    {"sqlite-wal", "SQLite", "two writers with WAL"},
    {"mmap-read", "`mmap`", "shared to read"},
    {"mmap-private", "`mmap`", "private to write"},
    {"mmap-write", "`mmap`", "shared to write", look_at_mmap},
    {"mmap-after-write", "`mmap`", "shared sees the `write` of another process"},
    {"rename-over-open", "open files", "`rename` over one", look_at_renamed},
    {"unlink-open-read", "open files", "`read` and `write` after `unlink`"},
    {"unlink-open-fstat", "open files", "`fstat` after `unlink`"},
    {"unlink-open-ftruncate", "open files", "`ftruncate` after `unlink`"},
    {"unlink-open-fchmod", "open files", "`fchmod` after `unlink`"},
    {"unlink-open-futimens", "open files", "`futimens` after `unlink`"},
    {"replaced-ftruncate", "open files", "`ftruncate` after another was renamed over it"},
    {"replaced-fchmod", "open files", "`fchmod` after another was renamed over it"},
    {"shorten-open", "open files", "`read` after another process shortened it"},
    {"append-open", "open files", "`read` after another process appended to it"},
    {"tmpfile", "open files", "`O_TMPFILE` and `linkat`"},
    {"direct", "open files", "`O_DIRECT`"},
    {"sparse", "sizes", "sparse file of 2 GiB", look_at_sparse},
    {"seek-data", "sizes", "`SEEK_DATA` finds its data"},
    {"fallocate", "sizes", "`fallocate`"},
    {"statfs", "sizes", "`statfs`"},
    {"names", "names", "every byte but `/` and NUL", look_at_names},
    {"long-name", "names", "255 bytes"},
    {"exchange", "names", "`RENAME_EXCHANGE`"},
    {"handle", "names", "file handles"},
    {"links", "names", "symbolic links that the host made"},
    {"time-nanoseconds", "times", "with nanoseconds"},
    {"time-before-1970", "times", "before 1970"},
    {"time-after-2106", "times", "after 2106"},
    {"time-copied", "times", "a copy with `cp -p` is no older"},
    {"second-group", "owners", "a user's second group makes files"},
    {"privileges-end", "owners", "a write by another user ends set-user-ID"},
    {"trusted", "attributes", "`trusted.*`"},
    {"overlay", "attributes", "an overlay's changes (`userxattr`)"},
    {"flock", "between processes of the guest", "`flock`"},
    {"fcntl", "between processes of the guest", "`fcntl` locks"},
    {"append", "between processes of the guest", "`O_APPEND`"},
    {"unix-socket", "between processes of the guest", "UNIX socket"},
    {"host-flock", "held by the host", "`flock`"},
    {"host-fcntl", "held by the host", "`fcntl` lock"},
};

void make_tree(const std::string& folder) {
  for (int number = 0; number < 5000; ++number) {
    const auto at = fmt::format("{}/files/d{}", folder, number % 50);
    fs::create_directories(at);
    std::string text;
    for (int line = 0; line < number % 100; ++line) text += fmt::format("line {}\n", number);
    write_text(fmt::format("{}/f{}", at, number), text);
  }
  const auto sums = run_in(folder, "find files -type f -exec sha256sum {} + >files.sha256");
  if (!sums.ok) throw std::runtime_error("sha256sum: " + sums.errors);
}

/// As in every checkout.
void make_links(const std::string& folder) {
  fs::create_directories(folder + "/folder");
  write_text(folder + "/file", "text");
  write_text(folder + "/folder/inner", "");
  fs::create_symlink("file", folder + "/relative");
  fs::create_symlink("folder", folder + "/to-folder");
  fs::create_symlink("nowhere", folder + "/dangling");
}

/// Of a group that a user of the guest is in beside its own.
void make_team_folder(const std::string& folder) {
  fs::create_directory(folder);
  if (::chown(folder.c_str(), 0, 1234) != 0 || ::chmod(folder.c_str(), 02775) != 0) {
    throw std::runtime_error("cannot give away " + folder);
  }
}

UniqueFd make_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) throw std::runtime_error("cannot make " + path);
  return file;
}

}  // namespace

FileWork::FileWork(std::string folder, Trees trees) : folder_(std::move(folder)) {
  fs::create_directories(folder_ + "/host-names");
  if (trees == Trees::yes) make_tree(folder_);
  write_text(folder_ + "/from-host", pattern());
  make_links(folder_ + "/host-links");
  make_team_folder(folder_ + "/team");
  for (const auto& name : byte_names(false)) write_text(folder_ + "/host-names/" + name, name);
  flock_ = make_file(folder_ + "/host-flock");
  lockf_ = make_file(folder_ + "/host-lockf");
  const bool locked = ::flock(flock_.get(), LOCK_EX) == 0 && ::lockf(lockf_.get(), F_LOCK, 0) == 0;
  if (!locked) throw std::runtime_error("cannot lock files in " + folder_);
}

ObservedColumn FileWork::results() const {
  std::map<std::string, std::string> told;
  for (const auto& line : lines_of(read_file(folder_ + "/results"))) {
    constexpr std::string_view mark = "WORK ";
    const auto blank = line.find(' ', mark.size());
    if (!line.starts_with(mark) || blank == line.npos) continue;
    told[line.substr(mark.size(), blank - mark.size())] = line.substr(blank + 1);
  }
  ObservedColumn results;
  for (const auto& job : jobs) {
    const auto found = told.find(job.key);
    if (found == told.end()) continue;
    auto result = found->second;
    if (result == "ok" && job.view != nullptr) {
      const auto seen = job.view(folder_);
      if (!seen.empty()) result = "the host sees: " + seen;
    }
    results.emplace_back(ObservedRow{job.group, job.title}, result);
  }
  return results;
}

std::string file_work_user_data(const std::vector<std::string>& tags) {
  return fmt::format(
      "#!/bin/sh\n"
      "for share in {}; do\n"
      "  echo \"file work in $share\" >/dev/console\n"
      "  python3 /mnt/{}/file_work.py /mnt/$share 2>&1 | tee /mnt/$share/results >/dev/console\n"
      "done\n"
      "poweroff\n",
      fmt::join(tags, " "), file_work_tools_tag);
}

}  // namespace vmr::test
