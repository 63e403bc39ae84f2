// SPDX-License-Identifier: MIT
//
// share_agent: does in the guest what a benchmark on the host asks for, one line each way over the
// console: "VERB WORD...", answered by "bench: ok ANSWER" or "bench: error REASON".
#include "share_agent.hpp"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <sstream>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>

void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

Mapping::Mapping(const File& file, std::size_t size, int protection)
    : data_(static_cast<char*>(::mmap(nullptr, size, protection, MAP_SHARED, file.number(), 0))),
      size_(size) {
  if (data_ == MAP_FAILED) fail("mmap");
}

Mapping::~Mapping() {
  ::munmap(data_, size_);
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void drop_caches() {
  ::sync();
  const File file("/proc/sys/vm/drop_caches", O_WRONLY);
  checked(::write(file.number(), "3\n", 2), "drop_caches");
}

namespace {

/// shell COMMAND: its exit status has to be 0. What it says goes to the console.
std::string run_shell(const Words& words) {
  std::string command;
  for (const auto& word : words) command += word + " ";
  const int status = std::system(command.c_str());
  if (status != 0) throw std::runtime_error("exit status " + std::to_string(WEXITSTATUS(status)));
  return "";
}

std::string power_off(const Words&) {
  ::sync();
  checked(::reboot(RB_POWER_OFF), "power off");
  return "";
}

std::string answer(const Verbs& verbs, const std::string& line) {
  std::istringstream stream(line);
  std::string verb;
  stream >> verb;
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  const auto found = verbs.find(verb);
  if (found == verbs.end()) return "error unknown verb " + verb;
  try {
    return "ok " + found->second(words);
  } catch (const std::exception& error) {
    return std::string("error ") + error.what();
  }
}

}  // namespace

int main() {
  Verbs verbs = workloads();
  verbs.merge(checks());
  verbs["shell"] = run_shell;
  verbs["power-off"] = power_off;
  std::cout << "bench: ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) std::cout << "bench: " << answer(verbs, line) << std::endl;
  }
}
