// SPDX-License-Identifier: MIT
//
// What the guest sees of a file, asked by a host that changes it. Each verb looks once.
#include "share_agent.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>

namespace {

/// What the guest keeps open between two questions, by name.
struct Held {
  File file;
  std::unique_ptr<Mapping> mapping;
};
std::map<std::string, std::unique_ptr<Held>> held;

std::string content(int file) {
  char block[256];
  const auto count = checked(::pread(file, block, sizeof block, 0), "pread");
  return {block, static_cast<std::size_t>(count)};
}

std::string read_file(const Words& words) {
  return content(File(words.at(0)).number());
}

std::string size_of(const Words& words) {
  struct stat state;
  checked(::stat(words.at(0).c_str(), &state), "stat");
  return std::to_string(state.st_size);
}

std::string mode_of(const Words& words) {
  struct stat state;
  checked(::stat(words.at(0).c_str(), &state), "stat");
  return std::to_string(state.st_mode & 0777);
}

std::string exists(const Words& words) {
  return ::access(words.at(0).c_str(), F_OK) == 0 ? "yes" : "no";
}

/// The names in a folder, joined by commas in no order.
std::string names(const Words& words) {
  DIR* const directory = ::opendir(words.at(0).c_str());
  if (directory == nullptr) fail("opendir");
  std::string found;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') found += std::string(entry->d_name) + ",";
  }
  ::closedir(directory);
  return found;
}

/// hold PATH [writable], hold-mapped PATH [writable]: opens it, and reads it.
std::string hold(const Words& words) {
  const int flags = words.size() > 1 ? O_RDWR : O_RDONLY;
  held[words.at(0)].reset(new Held{File(words.at(0), flags), nullptr});
  return content(held.at(words.at(0))->file.number());
}

std::string hold_mapped(const Words& words) {
  hold(words);
  auto& it = *held.at(words.at(0));
  int protection = PROT_READ;
  if (words.size() > 1) protection |= PROT_WRITE;
  it.mapping = std::make_unique<Mapping>(it.file, 4096, protection);
  return {it.mapping->data()};
}

std::string read_held(const Words& words) {
  return content(held.at(words.at(0))->file.number());
}

std::string read_mapping(const Words& words) {
  return {held.at(words.at(0))->mapping->data()};
}

std::string write_held(const Words& words) {
  const auto& text = words.at(1);
  checked(::pwrite(held.at(words.at(0))->file.number(), text.data(), text.size(), 0), "pwrite");
  return "";
}

std::string write_mapping(const Words& words) {
  std::memcpy(held.at(words.at(0))->mapping->data(), words.at(1).data(), words.at(1).size());
  return "";
}

std::string sync_mapping(const Words& words) {
  checked(::msync(held.at(words.at(0))->mapping->data(), 4096, MS_SYNC), "msync");
  return "";
}

std::string release(const Words& words) {
  held.erase(words.at(0));
  return "";
}

std::string write_file(const Words& words) {
  const File file(words.at(0), O_WRONLY | O_CREAT | O_TRUNC);
  checked(::write(file.number(), words.at(1).data(), words.at(1).size()), "write");
  return "";
}

std::string append_file(const Words& words) {
  const File file(words.at(0), O_WRONLY | O_APPEND);
  checked(::write(file.number(), words.at(1).data(), words.at(1).size()), "write");
  return "";
}

std::string rename_file(const Words& words) {
  checked(::rename(words.at(0).c_str(), words.at(1).c_str()), "rename");
  return "";
}

std::string unlink_file(const Words& words) {
  checked(::unlink(words.at(0).c_str()), "unlink");
  return "";
}

std::string drop(const Words&) {
  drop_caches();
  return "";
}

}  // namespace

Verbs checks() {
  return {
      {"content", read_file},
      {"size", size_of},
      {"mode", mode_of},
      {"exists", exists},
      {"names", names},
      {"hold", hold},
      {"hold-mapped", hold_mapped},
      {"content-held", read_held},
      {"content-mapped", read_mapping},
      {"write-held", write_held},
      {"write-mapped", write_mapping},
      {"sync-mapped", sync_mapping},
      {"release", release},
      {"write-file", write_file},
      {"append", append_file},
      {"rename", rename_file},
      {"remove", unlink_file},
      {"drop-caches", drop},
  };
}
