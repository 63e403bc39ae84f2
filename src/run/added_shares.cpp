// SPDX-License-Identifier: MIT
#include "run/added_shares.hpp"

#include "base/log.hpp"
#include "plan/seed.hpp"
#include "run/json_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

namespace json = boost::json;

/// How long the guest may take for one step, on a busy machine under emulation.
constexpr auto guest_patience = std::chrono::seconds(30);
constexpr int highest_number = 999;

std::vector<std::string> settings_in(const json::object& request) {
  std::vector<std::string> settings;
  const auto* list = request.if_contains("settings");
  if (list == nullptr || !list->is_array()) throw Error("share-add: no settings given", "", "");
  for (const auto& setting : list->as_array()) {
    if (setting.is_string()) settings.emplace_back(setting.as_string());
  }
  return settings;
}

json::object device_arguments(const SharePlan& plan, const std::string& device,
                              const std::string& chardev, const std::string& port) {
  return {{"driver", "vhost-user-fs-pci"},
          {"id", device},
          {"bus", port},
          {"chardev", chardev},
          {"tag", plan.share.tag},
          {"queue-size", plan.share.queue_size}};
}

std::string last_words(const Ending& ending) {
  return ending.last_lines.empty() ? "" : ": " + ending.last_lines.back();
}

}  // namespace

std::string AddedShares::id_of(const Added& share) {
  return fmt::format("share{}", share.plan.share.number);
}

std::string AddedShares::device_of(const Added& share) {
  return id_of(share) + "-device";
}

AddedShares::AddedShares(Parts parts) : parts_(std::move(parts)) {
  for (const auto& share : parts_.plan->shares) {
    last_number_ = std::max(last_number_, share.share.number);
  }
}

void AddedShares::add(const std::shared_ptr<ControlRequest>& request) {
  try {
    add_now(request);
  } catch (...) {
    // What is in its way may be one that the guest did not let go of.
    if (!unplug_again()) throw;
    park(request);
  }
}

void AddedShares::add_now(const std::shared_ptr<ControlRequest>& request) {
  if (parts_.attempt() == nullptr) throw Error("the machine does not run yet", "", "");
  const auto settings = settings_in(request->body());
  const auto port = free_port();
  const int number = next_number();
  auto plan = parts_.resolve(number, settings, present());
  last_number_ = std::max(last_number_, number);
  log_info("{}", describe(plan.share));
  auto& share = shares_.try_emplace(number, std::move(plan), port, parts_.executor).first->second;
  share.request = request;
  parts_.reports->add(share.plan.share);
  plug(share);
}

int AddedShares::next_number() const {
  if (last_number_ < highest_number) return last_number_ + 1;
  const auto shares = present();
  for (int number = 1; number <= highest_number; ++number) {
    const bool is_taken = std::any_of(shares.begin(), shares.end(), [number](const Share& share) {
      return share.number == number;
    });
    if (!is_taken) return number;
  }
  throw Error(fmt::format("all numbers of shares up to {} are taken", highest_number), "",
              "remove one that was added");
}

void AddedShares::plug(Added& share) {
  const int number = share.plan.share.number;
  await(share, Stage::plugging);
  UniqueFd connection;
  try {
    connection = parts_.attempt()->start_helper(*share.plan.helper);
  } catch (const Error& error) {
    const std::string what = error.what();
    return undo(share, error.cause.empty() ? what : what + ": " + error.cause, error.hint);
  }
  parts_.attempt()->qmp().add_chardev(
      id_of(share), std::move(connection), [this, number](const JsonAnswer& answer) {
        auto* const found = find(number, Stage::plugging);
        if (found == nullptr) return;
        if (!answer.ok()) return undo(*found, "QEMU cannot reach the share: " + answer.error, "");
        plug_device(*found);
      });
}

void AddedShares::plug_device(Added& share) {
  const int number = share.plan.share.number;
  parts_.attempt()->qmp().execute(
      "device_add", device_arguments(share.plan, device_of(share), id_of(share), share.port),
      [this, number](const JsonAnswer& answer) {
        auto* const found = find(number, Stage::plugging);
        if (found == nullptr) return;
        if (!answer.ok()) return undo(*found, "QEMU refuses the share: " + answer.error, "");
        found->plugged = true;
        const auto& plan = found->plan;
        parts_.tell(event::HelperAdded{
            plan.helper->name,
            fmt::format("{} (Filesystem #{})", plan.share.mount, plan.share.number)});
        mount(*found);
      });
}

void AddedShares::mount(Added& share) {
  if (!parts_.attempt()->agent().is_present()) {
    share.stage = Stage::there;
    return finish_mount(share, "the guest has no agent that could mount it");
  }
  await(share, Stage::mounting);
  run_in_guest(mount_added_script({share.plan.share}), share.plan.share.number, Stage::mounting);
}

/// `reason`: why it is not proved; empty: it is.
void AddedShares::finish_mount(Added& share, const std::string& reason) {
  share.stage = Stage::there;
  share.deadline.cancel();
  const auto request = std::exchange(share.request, nullptr);
  if (!request) return;
  auto object = to_json(share.plan);
  object["proof"] = reason.empty() ? "mounted" : "waiting";
  if (!reason.empty()) {
    object["reason"] = to_utf8(reason);
    object["command"] = to_utf8(mount_command(share.plan.share));
    log_warn("Filesystem #{}: {}; by hand, in the guest: {}", share.plan.share.number, reason,
             mount_command(share.plan.share));
  }
  request->answer(std::move(object));
}

void AddedShares::await(Added& share, Stage stage) {
  share.stage = stage;
  share.deadline.expires_after(guest_patience);
  share.deadline.async_wait(
      [this, number = share.plan.share.number, stage](boost::system::error_code cancelled) {
        auto* const found = cancelled ? nullptr : find(number, stage);
        if (found != nullptr) take_deadline(*found);
      });
}

void AddedShares::take_deadline(Added& share) {
  switch (share.stage) {
    case Stage::plugging:
      return undo(share, "QEMU does not answer", "");
    case Stage::mounting:
      return finish_mount(share, "the guest has not said whether it mounted it");
    case Stage::unmounting:
    case Stage::unplugging: {
      // Should the guest let go of it later, it goes then.
      if (share.stage == Stage::unmounting) share.stage = Stage::there;
      const auto request = std::exchange(share.request, nullptr);
      if (request) {
        request->fail(
            Error(fmt::format("the guest does not let go of share '{}'", share.plan.share.tag),
                  fmt::format("no word within {} s", guest_patience.count()),
                  "look at the guest's own log (dmesg), and ask again"));
      }
      return;
    }
    case Stage::there:
      return;
  }
}

void AddedShares::run_in_guest(const std::string& script, int number, Stage stage) {
  parts_.attempt()->guest_exec().run_script(
      script, [this, number, stage](const std::optional<Error>& failure) {
        auto* const share = failure ? find(number, stage) : nullptr;
        if (share == nullptr) return;
        if (stage == Stage::mounting) {
          const std::string why = failure->what();
          return finish_mount(*share, failure->cause.empty() ? why : why + ": " + failure->cause);
        }
        share->stage = Stage::there;
        const auto request = std::exchange(share->request, nullptr);
        if (request) request->fail(*failure);
      });
}

std::vector<SharePlan> AddedShares::plans() const {
  std::vector<SharePlan> plans;
  for (const auto& [number, share] : shares_) plans.push_back(share.plan);
  return plans;
}

void AddedShares::clear() {
  for (const auto& [number, share] : shares_) parts_.reports->remove(number);
  shares_.clear();
}

void AddedShares::take_report(const GuestReport& report) {
  using Kind = GuestReport::Kind;
  if (auto* const share = find(report.share, Stage::mounting)) {
    if (!fits(report, share->plan.share)) return;
    if (report.kind == Kind::mounted) return finish_mount(*share, "");
    if (report.kind == Kind::failed) {
      undo(*share, "not mounted in the guest: " + report.text,
           hint_for(share->plan.share, report.text));
    }
  } else if (auto* const mounted = find(report.share, Stage::unmounting)) {
    if (report.kind == Kind::gone) return unplug(*mounted);
    if (report.kind != Kind::kept) return;
    mounted->stage = Stage::there;
    const auto request = std::exchange(mounted->request, nullptr);
    if (request) {
      request->fail(
          Error(fmt::format("the guest does not unmount share '{}'", mounted->plan.share.tag),
                report.text, "end what uses it in the guest"));
    }
  }
}

bool AddedShares::take_helper_end(const std::string& name, const Ending& ending) {
  for (auto& [number, share] : shares_) {
    if (share.plan.helper->name != name || share.plugged) continue;
    const auto diagnosis = diagnose(ending);
    if (share.stage == Stage::plugging) {
      undo(share, fmt::format("{} died ({}){}", name, ending.what, last_words(ending)),
           diagnosis ? diagnosis->hint : "");
    }
    return true;
  }
  return false;
}

void AddedShares::mount_again() {
  std::vector<Share> shares;
  for (const auto& [number, share] : shares_) {
    if (share.stage == Stage::there) shares.push_back(share.plan.share);
  }
  if (!shares.empty()) run_in_guest(mount_added_script(shares), 0, Stage::there);
}

AddedShares::Added* AddedShares::find(int number, Stage stage) {
  const auto found = shares_.find(number);
  return found == shares_.end() || found->second.stage != stage ? nullptr : &found->second;
}

std::string AddedShares::free_port() const {
  for (const auto& port : parts_.plan->hotplug_ports) {
    const bool taken = std::any_of(shares_.begin(), shares_.end(),
                                   [&](const auto& entry) { return entry.second.port == port; });
    if (!taken) return port;
  }
  const auto count = parts_.plan->hotplug_ports.size();
  throw Error(count == 0 ? "this machine was started without ports for shares that are added later"
                         : fmt::format("all {} ports for added shares are taken", count),
              "",
              "set HOTPLUG_SHARES to a higher number (at most 8, machine q35 or virt), or remove "
              "another added share");
}

std::vector<Share> AddedShares::present() const {
  auto shares = shares_of(*parts_.plan);
  for (const auto& [number, share] : shares_) shares.push_back(share.plan.share);
  return shares;
}

}  // namespace vmr
