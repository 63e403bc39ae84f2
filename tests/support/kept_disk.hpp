// SPDX-License-Identifier: MIT
// A made-up machine with PERSIST=1: its image, the disk that is kept, and what is said of them.
#pragma once

#include "config/disk_record.hpp"
#include "support/hosts.hpp"
#include "support/judge.hpp"

#include <string>

namespace vmr::test {

inline const std::string kept = "/data/vm.qcow2";
inline const std::string image = "/vms/base.qcow2";
inline const Strings settings = {"BASE_IMAGE=" + image, "PERSIST=1", "DATA_DIR=/data",
                                 "GUEST_PASSWORD=x"};

inline FileFacts disk_image(const std::string& backing = {}) {
  auto facts = regular_file();
  facts.contents.kind = FileContents::Kind::qcow2;
  facts.backing = backing;
  return facts;
}

/// A machine with the image, and no disk yet.
inline Host machine() {
  auto host = debian_12_host();
  host.guest = GuestImage{"d", "", "", image, "qcow2", "", ""};
  host.files[image] = disk_image();
  host.files[image].fingerprint = "100-a";
  return host;
}

inline DiskRecord record_of_base() {
  DiskRecord record;
  record.images = {{image, "qcow2", "100-a"}};
  return record;
}

/// The same with a disk that was made over `record`.
inline Host machine_with_disk(const DiskRecord& record) {
  auto host = machine();
  host.files[kept] = disk_image(record.is_copy ? "" : record.images.front().path);
  host.disk_place.has_record = true;
  host.disk_place.record = record;
  return host;
}

inline Strings with(Strings more) {
  more.insert(more.begin(), settings.begin(), settings.end());
  return more;
}

inline Verdict refused(const std::string& reason, const std::string& hint) {
  return {{{"PERSIST='1': " + reason, "PERSIST (environment)", hint}}, {}};
}

inline const std::string anew =
    "to begin with an empty disk, set another GUEST_NAME or DATA_DIR, or move this one away: mv "
    "/data/vm.qcow2 /data/vm.qcow2.old";

}  // namespace vmr::test
