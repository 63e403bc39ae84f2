// SPDX-License-Identifier: MIT
// The files, folders and devices that the user's own QEMU arguments name.
#pragma once

#include <string>
#include <vector>

namespace vmr {

/// What has to be there for QEMU to start.
enum class FileNeed {
  file,       ///< what the path names
  disk,       ///< the same, a disk image that is written to and may be qcow2
  folder,     ///< a folder at the path
  new_file,   ///< the folder that the path is in: QEMU makes the file
  socket,     ///< something that listens at the path
  device,     ///< a device of the host
  disk_word,  ///< a disk image, since no option stands before the word
};

struct ArgumentFile {
  std::string option;  ///< as it was written: "-chardev file,id=c,path=x"
  std::string path;    ///< a relative one starts at QEMU's working directory
  FileNeed need = FileNeed::file;

  bool operator==(const ArgumentFile&) const = default;
};

/// Every such path of a command line, in its order; of what can name files in ways that only QEMU
/// reads (URLs, "json:", -readconfig's contents), nothing. Pure. Source: QEMU's documentation of
/// its invocation, 7.2 to 10.
std::vector<ArgumentFile> find_argument_files(const std::vector<std::string>& words);

}  // namespace vmr
