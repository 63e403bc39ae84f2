// SPDX-License-Identifier: MIT
// What a guest writes to its report port.
#include "run/guest_reports.hpp"

#include "base/utf8.hpp"
#include "fuzz/fuzz.hpp"
#include "run/line_splitter.hpp"

namespace {

vmr::Share share_with(int number, vmr::Driver driver) {
  vmr::Share share;
  share.number = number;
  share.driver = driver;
  share.tag = "tag" + std::to_string(number);
  share.mount = "/mnt/" + share.tag;
  return share;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  constexpr std::size_t longest = 64;  // short enough for lines that are cut
  const std::vector<vmr::Share> shares = {share_with(1, vmr::Driver::virtiofs),
                                          share_with(2, vmr::Driver::ninep)};
  vmr::GuestReports reports(shares);
  vmr::LineSplitter lines(longest);
  std::size_t events = 0;
  for (const auto& line : lines.feed(text_of(data, size))) {
    require(line.size() <= longest, "a line is no longer than it may be");
    const auto event = reports.take(line);
    if (!event) continue;
    ++events;
    require(vmr::is_utf8(event->text), "an event is UTF-8");
    require(event->text.size() < 1000, "an event is short");
  }
  require(events <= shares.size() * vmr::most_events_a_share, "a share has few events");
  for (const auto& share : shares) {
    require(vmr::is_utf8(reports.proof(share.number).text), "a reason is UTF-8");
  }
  return 0;
}
