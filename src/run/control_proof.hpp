// SPDX-License-Identifier: MIT
// How a client of the control socket proves more than its user: by a file in the runtime folder,
// where a QEMU or virtiofsd that is confined can make none.
#pragma once

#include <string>
#include <sys/types.h>

namespace vmr {

/// A new file of a random name beside the control socket `socket`, for as long as this exists.
class ControlProof {
 public:
  explicit ControlProof(const std::string& socket);
  ~ControlProof();
  ControlProof(const ControlProof&) = delete;
  ControlProof& operator=(const ControlProof&) = delete;

  /// Its name without its folder; empty: none could be made.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string path_;
  std::string name_;
};

/// Whether this process, or the process `pid`, cannot gain privileges, as all that a launcher
/// starts cannot. True of one that has ended, false of one in another namespace of processes.
bool has_to_prove();
bool has_to_prove(pid_t pid);

/// Removes the file `name` beside `socket`. False: that is no name of a proof, or no such file.
bool take_proof(const std::string& socket, const std::string& name);

}  // namespace vmr
