// SPDX-License-Identifier: MIT
#include "config/secret_files.hpp"

#include "config/settings.hpp"
#include "config/wrapping.hpp"

#include <fmt/format.h>

namespace vmr {
namespace {

const Setting<Config>* row_of_secret(std::string_view name) {
  for (const auto& setting : vm_settings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

}  // namespace

std::string file_setting_of(std::string_view secret) {
  return fmt::format("{}_FILE", secret);
}

std::vector<SecretFile> find_secret_files(const GivenTexts& given) {
  std::vector<SecretFile> files;
  for (const auto& setting : vm_settings()) {
    if (!setting.secret) continue;
    const auto found = given.find({0, file_setting_of(setting.name)});
    if (found != given.end() && !found->second.value.empty()) {
      files.push_back({setting.name, found->second});
    }
  }
  return files;
}

std::vector<Problem> find_doubled_secrets(const GivenTexts& given) {
  std::vector<Problem> problems;
  for (const auto& [secret, path] : find_secret_files(given)) {
    const auto itself = given.find({0, std::string(secret)});
    if (itself == given.end() || itself->second.value.empty()) continue;
    problems.push_back(
        {fmt::format("{}: given itself, and in the file of {}", secret, file_setting_of(secret)),
         fmt::format("{} and {}", describe(itself->second.origin), describe(path.origin)),
         fmt::format("leave one of them out (--set {}= takes back what a file or "
                     "the environment says)",
                     secret)});
  }
  return problems;
}

void take_secret(const SecretFile& file, std::string text, LoadedConfig& loaded) {
  // Editors and `echo` put it there.
  if (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return refuse_secret(file, "it is empty", loaded);
  if (text.find('\0') != text.npos) {
    return refuse_secret(file, "it has a zero byte in it, where a password would end", loaded);
  }
  const auto* const setting = row_of_secret(file.secret);
  if (const auto wrapping = find_wrapping(text, setting->store.kind)) {
    loaded.warnings.push_back(fmt::format("{}: the file itself has {}, which the value has then",
                                          describe(file.path.origin), wrapping->what));
  }
  const auto invalid = setting->store(loaded.config, {std::move(text), file.path.origin});
  if (invalid) refuse_secret(file, invalid->message, loaded);
}

void refuse_secret(const SecretFile& file, const std::string& why, LoadedConfig& loaded) {
  const auto variable = file_setting_of(file.secret);
  row_of_secret(file.secret)->store(loaded.config, {"", file.path.origin, true});
  loaded.problems.push_back(
      {fmt::format("{}='{}': cannot be taken: {}", variable, file.path.value, why),
       describe(file.path.origin),
       fmt::format("name a regular file of at most {} bytes with the value of {} in it",
                   largest_secret_file, file.secret)});
}

}  // namespace vmr
