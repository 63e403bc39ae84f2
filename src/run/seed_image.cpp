// SPDX-License-Identifier: MIT
#include "run/seed_image.hpp"

#include "base/error.hpp"
#include "host/new_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <optional>
#include <stdlib.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

namespace vmr {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& cause,
                       const std::string& hint = "") {
  throw Error(fmt::format("cannot write the seed image {}", path), cause, hint);
}

/// TMPDIR, set for as long as this exists. libarchive collects the files of an ISO image in a
/// temporary file, which it unlinks at once; the folder of the image is known to be writable, /tmp
/// in a container may not be. Only for while there is one thread.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& folder) {
    if (const char* before = ::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", folder.c_str(), 1);
  }
  ~TemporaryFolder() { before_ ? ::setenv("TMPDIR", before_->c_str(), 1) : ::unsetenv("TMPDIR"); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  std::optional<std::string> before_;
};

struct Free {
  void operator()(archive* archive) const { ::archive_write_free(archive); }
  void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};

/// An ISO 9660 image being written to a descriptor.
class IsoWriter {
 public:
  IsoWriter(int fd, const std::string& path) : path_(path), archive_(::archive_write_new()) {
    check(::archive_write_set_format_iso9660(archive_.get()));
    // Joliet and Rock Ridge are on by default. The padding is for the read-ahead of CD drives.
    check(::archive_write_set_options(archive_.get(), "volume-id=cidata,!pad"));
    check(::archive_write_set_bytes_in_last_block(archive_.get(), 1));
    check(::archive_write_open_fd(archive_.get(), fd));
  }

  void add(const char* name, std::string_view contents) {
    const std::unique_ptr<archive_entry, Free> entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), name);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(contents.size()));
    ::archive_entry_set_filetype(entry.get(), AE_IFREG);
    ::archive_entry_set_perm(entry.get(), 0644);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
    check(::archive_write_header(archive_.get(), entry.get()));
    const auto written = ::archive_write_data(archive_.get(), contents.data(), contents.size());
    if (written != static_cast<la_ssize_t>(contents.size())) check(ARCHIVE_FATAL);
  }

  void finish() { check(::archive_write_close(archive_.get())); }

 private:
  void check(int result) const {
    if (result == ARCHIVE_OK) return;
    const char* text = ::archive_error_string(archive_.get());
    const int number = ::archive_errno(archive_.get());
    std::string cause = text == nullptr ? "libarchive does not say why" : text;
    if (number > 0) cause += fmt::format(": {}", std::strerror(number));
    fail(path_, cause);
  }

  const std::string& path_;
  std::unique_ptr<archive, Free> archive_;
};

/// `rename` would silently put a file in the place of a device or a link.
void refuse_special_file(const std::string& path) {
  struct stat facts = {};
  if (::lstat(path.c_str(), &facts) != 0 || S_ISREG(facts.st_mode)) return;
  fail(path, "something that is not a regular file is there", "choose another name, or remove it");
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

void write_seed_image(const SeedContents& contents, const std::string& path) try {
  refuse_special_file(path);
  NewFile file(path);
  const TemporaryFolder staging(folder_of(path));
  IsoWriter image(file.fd(), path);
  image.add("meta-data", contents.meta_data);
  image.add("user-data", contents.user_data);
  image.add("vendor-data", contents.vendor_data);
  image.finish();
  file.replace_path();
} catch (const std::system_error& error) {
  fail(path, error.code().message());
}

}  // namespace vmr
