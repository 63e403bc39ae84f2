// SPDX-License-Identifier: MIT
// How a share that was added goes again.
#include "base/log.hpp"
#include "plan/seed.hpp"
#include "run/added_shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace vmr {
namespace {

/// How long a share that is to be added waits for another to go.
constexpr auto parking_time = std::chrono::seconds(5);

}  // namespace

/// From now on `request` is answered when the stage is over, unless its client goes before.
void AddedShares::attach(Added& share, const std::shared_ptr<ControlRequest>& request) {
  share.request = request;
  request->on_gone([this, alive = std::weak_ptr(alive_), number = share.plan.share.number,
                    gone = request.get()] {
    if (alive.expired()) return;
    const auto found = shares_.find(number);
    if (found != shares_.end() && found->second.request.get() == gone) {
      found->second.request.reset();
    }
  });
}

void AddedShares::remove(const std::shared_ptr<ControlRequest>& request) {
  const auto wanted = text_at(request->body(), "share");
  const auto is_wanted = [&](const Share& share) {
    return share.tag == wanted || std::to_string(share.number) == wanted;
  };
  const auto found = std::find_if(shares_.begin(), shares_.end(), [&](const auto& entry) {
    return is_wanted(entry.second.plan.share);
  });
  if (found == shares_.end()) {
    for (const auto& share : parts_.plan->shares) {
      if (!is_wanted(share.share)) continue;
      throw Error(
          fmt::format("share '{}' is one that the machine was started with", wanted),
          "QEMU only gives up what was added while it runs",
          fmt::format("unmount it in the guest (vm-runner exec -- umount {}), or start anew "
                      "without it",
                      share.share.mount));
    }
    throw Error(fmt::format("there is no share '{}'", wanted), "",
                "vm-runner share list shows them");
  }
  auto& share = found->second;
  if (share.stage == Stage::unplugging && !share.request) {
    attach(share, request);
    return unplug(share);
  }
  if (share.stage != Stage::there) {
    throw Error(fmt::format("share '{}' is just being added or removed", wanted), "",
                "wait until that is over");
  }
  attach(share, request);
  const int number = found->first;
  if (parts_.reports->proof(number).state != ShareProof::State::mounted) return unplug(share);
  if (!parts_.attempt()->agent().is_present()) {
    share.request.reset();
    throw Error(fmt::format("share '{}' is mounted in the guest", wanted),
                "the guest has no agent that could unmount it",
                "start the guest agent (qemu-guest-agent) in the guest");
  }
  await(share, Stage::unmounting);
  run_in_guest(unmount_script(share.plan.share), number, Stage::unmounting);
}

void AddedShares::unplug(Added& share) {
  await(share, Stage::unplugging);
  const int number = share.plan.share.number;
  if (!share.plugged) return finish_unplug(number);
  const bool again = std::exchange(share.unplug_asked, true);
  parts_.attempt()->qmp().execute(
      "device_del", {{"id", device_of(share)}}, [this, number, again](const JsonAnswer& answer) {
        auto* const found = find(number, Stage::unplugging);
        // A QEMU that still waits for the guest refuses to ask it again, and goes on waiting.
        if (found == nullptr || answer.ok() || again) return;
        found->stage = Stage::there;
        found->unplug_asked = false;
        const auto request = std::exchange(found->request, nullptr);
        if (request) request->fail(Error("QEMU does not give up the share", answer.error, ""));
      });
}

/// QEMU has no device any more, or never had.
void AddedShares::finish_unplug(int number) {
  auto* const share = find(number, Stage::unplugging);
  if (share == nullptr) return;
  const auto name = share->plan.helper->name;
  if (share->plugged) parts_.tell(event::HelperReleased{name});
  parts_.attempt()->qmp().execute("chardev-remove", {{"id", id_of(*share)}});
  parts_.attempt()->signal_helper(name, SIGTERM);
  ::unlink(share->plan.helper->listeners.front().path.c_str());
  parts_.reports->remove(number);
  const auto request = std::exchange(share->request, nullptr);
  const auto why = share->why_unplugged;
  const auto hint = share->hint;
  shares_.erase(number);
  log_info("Filesystem #{}: removed", number);
  if (request && !why.empty()) request->fail(Error(why, "", hint));
  if (request && why.empty()) request->answer({{"index", number}});
  take_parked();
}

/// Takes back what was done for a share that fails with `why`.
void AddedShares::undo(Added& share, const std::string& why, const std::string& hint) {
  share.why_unplugged = fmt::format("Filesystem #{}: {}", share.plan.share.number, why);
  share.hint = hint;
  // What the guest reports is in the log already.
  if (share.stage == Stage::plugging) log_error("{}", share.why_unplugged);
  unplug(share);
}

bool AddedShares::unplug_again() {
  bool any = false;
  for (auto& [number, share] : shares_) {
    if (share.stage != Stage::unplugging || share.request) continue;
    any = true;
    unplug(share);
  }
  return any;
}

void AddedShares::park(const std::shared_ptr<ControlRequest>& request) {
  parked_.push_back({request, boost::asio::steady_timer(parts_.executor)});
  const auto parked = std::prev(parked_.end());
  request->on_gone([this, alive = std::weak_ptr(alive_), parked] {
    if (!alive.expired()) parked_.erase(parked);
  });
  parked->deadline.expires_after(parking_time);
  parked->deadline.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) take_parked();
  });
}

void AddedShares::take_parked() {
  for (auto& parked : std::exchange(parked_, {})) {
    parked.request->on_gone({});
    parked.request->attempt([&] { add_now(parked.request); });
  }
}

void AddedShares::take_device_deleted(const std::string& device) {
  for (auto& [number, share] : shares_) {
    if (device_of(share) != device) continue;
    share.stage = Stage::unplugging;  // whoever asked, and however long ago
    return finish_unplug(number);
  }
}

}  // namespace vmr
