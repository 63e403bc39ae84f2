// SPDX-License-Identifier: MIT
#pragma once

#include "plan/launch_plan.hpp"
#include "run/attempt.hpp"
#include "run/control.hpp"
#include "run/guest_reports.hpp"
#include "run/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vmr {

/// Checks and plans share `number`, whose settings are "KEY=VALUE" with the keys of a [[share]],
/// beside those that are `present`. Throws InvalidConfig with every problem.
using ShareResolver = std::function<SharePlan(int number, const std::vector<std::string>& settings,
                                              const std::vector<Share>& present)>;

/// The virtiofs shares that are added to a running VM and removed again. Each has a helper, a PCI
/// port of its own in QEMU, and a mount in the guest, made and undone by the guest agent and proved
/// by the guest's report; what fails half-way is undone.
class AddedShares {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const LaunchPlan* plan = nullptr;
    GuestReports* reports = nullptr;
    ShareResolver resolve;
    std::function<Attempt*()> attempt;  ///< none while nothing runs
    std::function<void(const Event& event)> tell;
  };

  explicit AddedShares(Parts parts);

  /// {"settings": ["SOURCE=/srv", …]}: answered once the guest has mounted the share, or with why
  /// not. May throw Error.
  void add(const std::shared_ptr<ControlRequest>& request);

  /// {"share": "tag or number"}: answered once it is gone. May throw Error.
  void remove(const std::shared_ptr<ControlRequest>& request);

  /// Those that are there, by number.
  [[nodiscard]] std::vector<SharePlan> plans() const;

  /// Forgets them all: the machine they were added to is gone.
  void clear();

  // What the session hears.
  void take_report(const GuestReport& report);
  void take_device_deleted(const std::string& device);
  /// Whether `name` is the helper of a share that is not in use yet: its end is then no fault.
  bool take_helper_end(const std::string& name, const Ending& ending);
  /// A guest agent is there, after a boot perhaps.
  void mount_again();

 private:
  enum class Stage { plugging, mounting, there, unmounting, unplugging };

  struct Added {
    Added(SharePlan plan, std::string port, const boost::asio::any_io_executor& executor)
        : plan(std::move(plan)), port(std::move(port)), deadline(executor) {}

    SharePlan plan;
    std::string port;  ///< QEMU's bus
    Stage stage = Stage::plugging;
    bool plugged = false;                     ///< QEMU has the device
    bool unplug_asked = false;                ///< of the guest, which may ignore it
    std::shared_ptr<ControlRequest> request;  ///< to be answered when the stage is over
    std::string why_unplugged;                ///< what `request` fails with then; empty: nothing
    std::string hint;                         ///< for that
    boost::asio::steady_timer deadline;
  };

  /// A request that may be granted once a share is gone that the guest did not let go of.
  struct Parked {
    std::shared_ptr<ControlRequest> request;
    boost::asio::steady_timer deadline;
  };

  [[nodiscard]] static std::string id_of(const Added& share);
  [[nodiscard]] static std::string device_of(const Added& share);

  void add_now(const std::shared_ptr<ControlRequest>& request);
  void park(const std::shared_ptr<ControlRequest>& request);
  void take_parked();
  /// The guest is asked again about those that it did not let go of; false: there are none.
  bool unplug_again();
  void attach(Added& share, const std::shared_ptr<ControlRequest>& request);
  [[nodiscard]] int next_number() const;

  void plug(Added& share);
  void plug_device(Added& share);
  void mount(Added& share);
  void finish_mount(Added& share, const std::string& reason);
  void unplug(Added& share);
  void finish_unplug(int number);
  void undo(Added& share, const std::string& why, const std::string& hint);
  void await(Added& share, Stage stage);
  void run_in_guest(const std::string& script, int number, Stage stage);
  void take_deadline(Added& share);

  /// The share of this number if it is still in `stage`; else none: what was asked is over.
  Added* find(int number, Stage stage);
  [[nodiscard]] std::string free_port() const;
  [[nodiscard]] std::vector<Share> present() const;

  Parts parts_;
  std::map<int, Added> shares_;  ///< by number
  std::list<Parked> parked_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for those who outlive this
  int last_number_ = 0;  ///< numbers are not given twice while there are others
};

}  // namespace vmr
