// SPDX-License-Identifier: MIT
#pragma once

#include "base/log.hpp"
#include "spec/vm_spec.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vmr {

/// One line of the guest's report, understood.
struct GuestReport {
  enum class Kind { mounted, failed, gone, kept, done };
  Kind kind = Kind::done;
  int share = 0;        ///< its number
  std::string text;     ///< the guest's reason, printable
  std::string place{};  ///< what it takes the share for: a place_word(), or a folder; printable

  bool operator==(const GuestReport&) const = default;
};

/// Understands what mount_script() and unmount_script() report: "<number> ok <place>", "<number>
/// error <place> <reason>", "<number> gone", "<number> kept <reason>" (not unmounted) and "done";
/// also "<number> ok <folder>" and "<number> error <reason>", of guests that kept the script of
/// versions before. The guest writes this: none for anything else.
std::optional<GuestReport> parse_guest_report(std::string_view line);

/// Whether `report` is about `share` as it is now. One that keeps the script of an earlier
/// configuration reports what that one had under this number.
bool fits(const GuestReport& report, const Share& share);

/// What to do about a share that the guest could not mount.
std::string hint_for(const Share& share, std::string_view reason);

/// What is known about a share inside the guest.
struct ShareProof {
  enum class State { waiting, mounted, failed };
  State state = State::waiting;
  std::string text;  ///< the guest's reason, when it failed

  bool operator==(const ShareProof&) const = default;
};

/// How often a share is reported in the log: a guest that reboots reports again, and a hostile one
/// is not to fill it.
inline constexpr int most_events_a_share = 20;

/// Turns the guest's lines into log events.
class GuestReports {
 public:
  explicit GuestReports(std::vector<Share> shares);

  struct Event {
    LogLevel level = LogLevel::info;
    std::string text;

    bool operator==(const Event&) const = default;
  };

  /// The event for `line`, if it is a report about one of our shares.
  std::optional<Event> take(std::string_view line);

  /// A share that is there from now on, or no longer.
  void add(const Share& share);
  void remove(int number);

  /// The guest starts anew: what it said before holds no longer.
  void restart();

  /// What the guest said last about share `number`.
  [[nodiscard]] ShareProof proof(int number) const;

  /// Whether the guest has said how the mounting went, at least once, for every share.
  [[nodiscard]] bool complete() const { return done_; }

 private:
  /// The guest was done, without a word on some of the shares that it was started with.
  std::optional<Event> take_done();

  std::vector<Share> shares_;
  std::set<int> added_;       ///< those of them that the guest's own script does not know
  std::map<int, int> count_;  ///< events so far, by share
  std::map<int, ShareProof> proofs_;
  bool done_ = false;
};

}  // namespace vmr
