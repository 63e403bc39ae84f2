// SPDX-License-Identifier: MIT
#include "spec/argument_files.hpp"

#include "base/paths.hpp"
#include "base/shell_words.hpp"
#include "config/argument_files.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

using Kind = FileFacts::Kind;

/// The folder that `path`, which is absolute, is in.
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// What is wrong with what is at `path`; empty: nothing, or nobody has looked.
std::string fault_of(const std::string& path, FileNeed need, const Host& host) {
  const auto found = host.files.find(path);
  if (found == host.files.end()) return {};
  const auto kind = found->second.kind;
  const auto& contents = found->second.contents;
  switch (need) {
    case FileNeed::new_file:
      if (kind != Kind::missing) return {};
      return fault_of(folder_of(path), FileNeed::folder, host);
    case FileNeed::folder:
      if (kind == Kind::directory) return {};
      return kind == Kind::missing ? fmt::format("there is no folder {}", path)
                                   : fmt::format("{} is no folder", path);
    case FileNeed::socket:
      return kind == Kind::missing ? fmt::format("nothing listens at {}", path) : std::string();
    case FileNeed::device:
      return kind == Kind::missing ? fmt::format("this machine has no {}", path) : std::string();
    case FileNeed::disk:
    case FileNeed::disk_word:
      if (contents.kind == FileContents::Kind::broken_qcow2) {
        return fmt::format("{} is a qcow2 image that cannot be used: {}", path, contents.detail);
      }
      break;
    case FileNeed::file:
      break;
  }
  if (kind == Kind::missing) return fmt::format("there is no file {}", path);
  return kind == Kind::directory ? fmt::format("{} is a folder", path) : std::string();
}

Problem problem_of(const ArgumentFile& file, const std::string& fault, const std::string& subject,
                   const std::string& origin) {
  if (file.need == FileNeed::disk_word) {
    return {
        fmt::format("{}: {} is no option, and QEMU would take it for a disk image: {}", subject,
                    shell_join({file.option}), fault),
        origin,
        "take it out, or write the option that it belongs to before it; no shell reads this, so "
        "'#', '$' and '*' are plain characters"};
  }
  return {fmt::format("{}: '{}': {}", subject, file.option, fault), origin,
          "correct the path, or make what it names before the start"};
}

void look_through(const std::vector<std::string>& words, const std::string& subject,
                  const std::string& origin, const Host& host, std::vector<Problem>& problems) {
  for (const auto& file : find_argument_files(words)) {
    // The empty word would be the working folder.
    const auto path =
        file.path.empty() ? std::string() : absolute_path(file.path, {}, host.working_folder);
    const auto fault = path.empty() ? "it is empty" : fault_of(path, file.need, host);
    if (!fault.empty()) problems.push_back(problem_of(file, fault, subject, origin));
  }
}

}  // namespace

std::vector<Problem> find_missing_argument_files(const Config& config, const Host& host) {
  std::vector<Problem> problems;
  const auto& extra = config.extra_args;
  look_through(extra.value, extra.origin.variable, describe(extra.origin), host, problems);
  look_through(config.qemu_args, "QEMU arguments", "behind -- (command line)", host, problems);
  return problems;
}

}  // namespace vmr
