// SPDX-License-Identifier: MIT
#include "plan/opened_paths.hpp"

#include "base/ascii.hpp"
#include "plan/qemu_plan.hpp"
#include "plan/share_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmr {
namespace {

std::string name_of(const OpenedPath& opened) {
  return fmt::format("/proc/self/fd/{}", opened.fd);
}

/// The path by which it is opened: where it was looked at, that is one without links.
OpenedPath opened_path(const std::string& path, int fd, const Host& host) {
  const auto& real = facts_of(path, host).real_path;
  return {fd, path, real.empty() ? path : real, real.empty()};
}

/// Gives numbers to what is opened, each path once.
class Opened {
 public:
  Opened(const Host& host, int first) : host_(host), next_(first) {}

  /// Puts the name of what is opened in the place of `path`; an empty one stays.
  void replace(std::string& path) {
    if (path.empty()) return;
    auto found = std::find_if(list_.begin(), list_.end(),
                              [&](const OpenedPath& one) { return one.told == path; });
    if (found == list_.end()) found = list_.insert(found, opened_path(path, next_++, host_));
    path = name_of(*found);
  }

  std::vector<OpenedPath> take() { return std::move(list_); }

 private:
  const Host& host_;
  int next_;
  std::vector<OpenedPath> list_;
};

/// Behind QEMU's own descriptors.
int first_free(const ProcessPlan& process) {
  int last = 2;
  for (const auto& listener : process.listeners) last = std::max(last, listener.fd);
  for (const auto& connection : process.connections) last = std::max(last, connection.fd);
  return last + 1;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at)) {
    const auto end = at + from.size();
    // "…/fd/1" is not the beginning of "…/fd/12".
    const bool is_whole = end == text.size() || !is_ascii_digit(text[end]);
    if (is_whole) text.replace(at, from.size(), to);
    at += is_whole ? to.size() : from.size();
  }
}

}  // namespace

void plan_opened(const VmSpec& given, const Host& host, const RuntimePaths& given_paths,
                 const std::vector<SharePlan>& given_shares, QemuPlan& qemu) {
  if (given.qemu_user.kind == QemuUser::Kind::launcher) return;
  auto spec = given;
  auto paths = given_paths;
  auto shares = given_shares;
  Opened opened(host, first_free(qemu.process));
  opened.replace(spec.boot.kernel);
  opened.replace(spec.boot.initrd);
  if (spec.disk) {
    opened.replace(spec.disk->persistent);
    // Of a disk that is a copy the image is not opened.
    const bool is_opened = spec.disk->persistent.empty() || !spec.disk->is_copy;
    if (is_opened) opened.replace(spec.disk->image);
    for (auto& image : spec.disk->behind) opened.replace(image.path);
  }
  opened.replace(paths.seed);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    auto share = shares[i].share;
    if (share.driver != Driver::ninep) continue;
    opened.replace(share.source);
    shares[i].qemu_arguments = plan_share(share, i, host, paths.folder).qemu_arguments;
  }
  auto& process = qemu.process;
  process.opened = opened.take();
  if (process.opened.empty()) return;
  process.opened_argv =
      plan_qemu(spec, qemu.accelerator, process.argv.front(), paths, shares).process.argv;
}

void plan_opened_source(const Share& share, const QemuUser& user, const Host& host,
                        const std::string& runtime_folder, ProcessPlan& helper) {
  if (user.kind == QemuUser::Kind::launcher) return;
  constexpr int source_fd = 4;  // behind its socket
  helper.opened = {opened_path(share.source, source_fd, host)};
  // virtiofsd looks for the folder anew, by its name. Where we may mount it is given a name that
  // nobody else can change; elsewhere Landlock lets it have this folder and no other.
  const bool is_mounted =
      host.uid == 0 && host.abilities.sys_admin && share.sandbox == Sandbox::name_space;
  if (is_mounted) helper.mounted_at = runtime_folder;
  auto named = share;
  named.source = is_mounted ? runtime_folder : helper.opened.front().path;
  const auto planned = plan_share(named, 0, host, runtime_folder).helper;
  if (planned && planned->argv != helper.argv) helper.opened_argv = planned->argv;
}

std::string with_paths(std::string text, const ProcessPlan& process) {
  for (const auto& opened : process.opened) replace_all(text, name_of(opened), opened.told);
  if (!process.mounted_at.empty()) {
    replace_all(text, process.mounted_at, process.opened.front().told);
  }
  return text;
}

}  // namespace vmr
