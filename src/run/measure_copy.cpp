// SPDX-License-Identifier: MIT
#include "run/measure_copy.hpp"

#include "host/capture.hpp"
#include "host/file_contents.hpp"
#include "host/programs.hpp"
#include "plan/qemu_img.hpp"
#include "spec/disk.hpp"

#include <boost/json.hpp>

namespace vmr {

void measure_copy(const Config& config, Host& host) {
  const auto disk = find_disk_to_copy(config, host);
  if (!disk) return;
  auto& place = host.disk_place;
  if (is_copied_as_file(*disk)) {
    place.copy_size = open_to_read(disk->image).size;
    return;
  }
  auto words = words_to_measure(*disk);
  words.insert(words.begin(), find_in_path("qemu-img"));
  if (words.front().empty()) return;
  const auto told = capture(words, {}, time_to_tell);
  boost::system::error_code error;
  const auto answer = boost::json::parse(told.output, error);
  const auto* object = error ? nullptr : answer.if_object();
  const auto* required = object == nullptr ? nullptr : object->if_contains("required");
  if (told.ok && required != nullptr && required->is_int64()) {
    place.copy_size = static_cast<std::uint64_t>(required->as_int64());
  } else {
    place.copy_problem = told.errors.substr(0, told.errors.find('\n'));
    if (place.copy_problem.empty()) place.copy_problem = "qemu-img does not tell its size";
  }
}

}  // namespace vmr
