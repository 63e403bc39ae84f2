// SPDX-License-Identifier: MIT
// Serial ports and shares that are added to the fake QEMU and removed while it runs. When all of
// them have been removed there is a file $FAKE_LOG_DIR/no-chardevs.
#pragma once

#include "fake_guest.hpp"

#include <boost/json.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <sys/socket.h>

namespace fake {

class HotPlug {
 public:
  HotPlug(FakeGuest& guest, FakeGuest::Tell tell) : guest_(guest), tell_(std::move(tell)) {}

  /// Why the QMP command fails, "" when it does not; none when it is one of others.
  std::optional<std::string> execute(const std::string& command,
                                     const boost::json::object& arguments) {
    const auto text = [&](const char* key) { return std::string(arguments.at(key).as_string()); };
    if (command == "getfd") return name_descriptor(text("fdname"));
    if (command == "chardev-add") {
      const auto& data = arguments.at("backend").at("data");
      return add_chardev(text("id"), std::string(data.at("addr").at("data").at("str").as_string()));
    }
    if (command == "device_add" && !arguments.contains("name")) {
      devices_[text("id")] = text("chardev");
      shares_.insert(text("id"));
      return "";
    }
    if (command == "device_add") return add_port(text("id"), text("chardev"), text("name"));
    if (command == "device_del") return remove_port(text("id"));
    if (command == "chardev-remove") return remove_chardev(text("id"));
    return std::nullopt;
  }

  /// Reads from the monitor, also the descriptors that come with it; as read(2).
  ssize_t read(int monitor, std::array<char, 4096>& bytes) {
    iovec part{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    const auto size = ::recvmsg(monitor, &message, MSG_CMSG_CLOEXEC);
    // Standard input may be a pipe.
    if (size < 0 && errno == ENOTSOCK) return ::read(monitor, bytes.data(), bytes.size());
    const auto* header = CMSG_FIRSTHDR(&message);
    if (size > 0 && header != nullptr && header->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
      received_.push_back(fd);
    }
    return size;
  }

  /// To be called when a command is answered.
  void after_answer() {
    if (deleted_.empty()) return;
    tell_("DEVICE_DELETED",
          "{\"device\": \"" + deleted_ + "\", \"path\": \"/machine/peripheral/" + deleted_ + "\"}");
    deleted_.clear();
  }

 private:
  std::string name_descriptor(const std::string& name) {
    if (received_.empty()) return "No file descriptor supplied via SCM_RIGHTS";
    named_[name] = received_.front();
    received_.pop_front();
    return "";
  }

  std::string add_chardev(const std::string& id, const std::string& name) {
    const auto found = named_.find(name);
    if (found == named_.end()) {
      return "Failed to add chardev '" + id + "': File descriptor named '" + name +
             "' has not been found";
    }
    chardevs_[id] = found->second;
    named_.erase(found);
    log_chardevs();
    return "";
  }

  std::string add_port(const std::string& id, const std::string& chardev, const std::string& name) {
    const auto found = chardevs_.find(chardev);
    if (found == chardevs_.end()) {
      return "Property 'virtserialport.chardev' can't find value '" + chardev + "'";
    }
    devices_[id] = chardev;
    guest_.plug(id, name, found->second);
    return "";
  }

  std::string remove_port(const std::string& id) {
    const auto found = devices_.find(id);
    if (found == devices_.end()) return "Device '" + id + "' not found";
    if (behaviours_.count("keep-device") != 0 && kept_.insert(id).second) {
      std::ofstream(log_path("kept-" + id)).flush();
      return "";
    }
    // The guest has it open still, but nothing comes or goes any more.
    ::shutdown(chardevs_[found->second], SHUT_RDWR);
    if (shares_.erase(id) == 0) guest_.unplug(id);
    devices_.erase(found);
    deleted_ = id;
    return "";
  }

  std::string remove_chardev(const std::string& id) {
    const auto found = chardevs_.find(id);
    if (found == chardevs_.end()) return "Chardev '" + id + "' not found";
    for (const auto& [device, chardev] : devices_) {
      if (chardev == id) return "Chardev '" + id + "' is busy";
    }
    ::close(found->second);
    chardevs_.erase(found);
    log_chardevs();
    return "";
  }

  void log_chardevs() const {
    const auto path = log_path("no-chardevs");
    if (chardevs_.empty()) std::ofstream(path).flush();
    if (!chardevs_.empty()) std::filesystem::remove(path);
  }

  const Behaviours behaviours_ = behaviours_in("FAKE_QEMU");
  FakeGuest& guest_;
  FakeGuest::Tell tell_;
  std::deque<int> received_;                    ///< descriptors without a name yet
  std::map<std::string, int> named_;            ///< … and with one
  std::map<std::string, int> chardevs_;         ///< their connections
  std::map<std::string, std::string> devices_;  ///< their chardevs
  std::set<std::string> shares_;                ///< those devices that are no ports
  std::set<std::string> kept_;                  ///< devices that the guest did not let go of once
  std::string deleted_;                         ///< a device that is not told of yet
};

}  // namespace fake
