// SPDX-License-Identifier: MIT
#include "run/guest_reports.hpp"

#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "config/variables.hpp"
#include "plan/seed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace vmr {
namespace {

constexpr std::string_view outdated_hint =
    "its cloud-init kept what it read before: in the guest, take manual_cache_clean out of its "
    "configuration, and run cloud-init clean --reboot";

/// The guest wrote it; from here on it goes to logs and terminals.
std::string printable(std::string_view text) {
  return on_one_line(to_utf8(std::string(text)));
}

/// Takes a place_word() off `reason`, if it begins with one.
std::string take_place(std::string_view& reason) {
  const auto word = reason.substr(0, reason.find(' '));
  if (word.find(":/") == word.npos) return {};
  reason.remove_prefix(std::min(word.size() + 1, reason.size()));
  return printable(word);
}

}  // namespace

std::optional<GuestReport> parse_guest_report(std::string_view line) {
  if (line == "done") return GuestReport{};
  GuestReport report;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), report.share);
  if (error != std::errc{} || report.share < 1) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.starts_with(" ok ")) {
    report.kind = GuestReport::Kind::mounted;
    report.place = printable(line.substr(4));
  } else if (line.starts_with(" error ")) {
    report.kind = GuestReport::Kind::failed;
    line.remove_prefix(7);
    report.place = take_place(line);
    report.text = printable(line);
  } else if (line == " gone") {
    report.kind = GuestReport::Kind::gone;
  } else if (line.starts_with(" kept ")) {
    report.kind = GuestReport::Kind::kept;
    report.text = printable(line.substr(6));
  } else {
    return std::nullopt;
  }
  return report;
}

bool fits(const GuestReport& report, const Share& share) {
  if (report.place == printable(place_word(share))) return true;
  if (report.kind == GuestReport::Kind::mounted) return report.place == printable(share.mount);
  return report.place.empty();
}

std::string hint_for(const Share& share, std::string_view reason) {
  const auto says = [&](std::string_view words) { return reason.find(words) != reason.npos; };
  const auto driver = share_variable(share.number, "DRIVER");
  const auto mount = share_variable(share.number, "MOUNT");
  const bool odd_tag = share.tag.starts_with('-') || share.tag.find('#') != share.tag.npos;
  if (odd_tag && !says("tag <") && !says("no channels available")) {
    return fmt::format(
        "the guest's mount may have taken the tag for an option or a helper, as busybox does with "
        "a leading '-' and a '#': choose another {}",
        share_variable(share.number, "TARGET"));
  }
  if (says("unknown filesystem type") || says("No such device")) {
    constexpr auto no_9p =
        "the guest's kernel has no 9p (Debian's cloud kernels do not): use a guest with "
        "linux-image-amd64, or {}=virtiofs";
    constexpr auto no_virtiofs =
        "the guest's kernel has no virtiofs (Linux 5.4 and later do): use a newer guest, or {}=9p";
    return share.driver == Driver::ninep ? fmt::format(no_9p, driver)
                                         : fmt::format(no_virtiofs, driver);
  }
  if (says("no channels available") && says("busy")) {
    return fmt::format(
        "the guest has mounted this share elsewhere, and 9p allows it once: take that out of its "
        "/etc/fstab or user-data, or name that folder with {}",
        mount);
  }
  if (says("no channels available") || says("not found")) {
    return "the guest sees no share of this tag: does EXTRA_ARGS change the machine?";
  }
  if (says("busy")) return fmt::format("choose another folder with {}", mount);
  if (says("Not a directory") || says("File exists")) {
    return fmt::format("the guest has a file there: choose another folder with {}", mount);
  }
  if (says("Read-only file system")) {
    return fmt::format("the folder cannot be made there: choose another one with {}", mount);
  }
  if (says("ermission denied")) return "look at the owner and mode of the source on the host";
  return "look at the guest's own log (dmesg)";
}

GuestReports::GuestReports(std::vector<Share> shares) : shares_(std::move(shares)) {}

std::optional<GuestReports::Event> GuestReports::take(std::string_view line) {
  const auto report = parse_guest_report(line);
  if (!report) return std::nullopt;
  if (report->kind == GuestReport::Kind::done) return take_done();
  const auto share = std::find_if(shares_.begin(), shares_.end(), [&](const Share& candidate) {
    return candidate.number == report->share;
  });
  if (share == shares_.end()) return std::nullopt;
  if (report->kind == GuestReport::Kind::kept) return std::nullopt;
  if (report->kind == GuestReport::Kind::gone) {
    proofs_.erase(report->share);
    return std::nullopt;
  }
  const bool is_fitting = fits(*report, *share);
  const bool mounted = is_fitting && report->kind == GuestReport::Kind::mounted;
  const auto reason =
      is_fitting
          ? report->text
          : fmt::format("the guest has another configuration, where this is {}", report->place);
  proofs_[report->share] = {mounted ? ShareProof::State::mounted : ShareProof::State::failed,
                            mounted ? std::string() : reason};
  if (++count_[report->share] > most_events_a_share) return std::nullopt;
  if (mounted) {
    return Event{LogLevel::info, fmt::format("Filesystem #{}: mounted in the guest at {}",
                                             report->share, share->mount)};
  }
  const auto hint = is_fitting ? hint_for(*share, reason) : std::string(outdated_hint);
  return Event{LogLevel::error,
               fmt::format("Filesystem #{}: not mounted in the guest at {}: {} ({})", report->share,
                           share->mount, reason, hint)};
}

std::optional<GuestReports::Event> GuestReports::take_done() {
  done_ = true;
  std::vector<std::string> missing;
  for (const auto& share : shares_) {
    if (added_.contains(share.number) || proofs_.contains(share.number)) continue;
    proofs_[share.number] = {ShareProof::State::failed,
                             "the guest has another configuration, without this share"};
    if (++count_[share.number] > most_events_a_share) continue;
    missing.push_back(fmt::format("#{}", share.number));
  }
  if (missing.empty()) return std::nullopt;
  return Event{LogLevel::error,
               fmt::format("Filesystem {}: not mounted in the guest, which has another "
                           "configuration ({})",
                           fmt::join(missing, ", "), outdated_hint)};
}

void GuestReports::add(const Share& share) {
  shares_.push_back(share);
  added_.insert(share.number);
}

void GuestReports::remove(int number) {
  std::erase_if(shares_, [number](const Share& share) { return share.number == number; });
  proofs_.erase(number);
  added_.erase(number);
}

void GuestReports::restart() {
  proofs_.clear();
  done_ = false;
}

ShareProof GuestReports::proof(int number) const {
  const auto found = proofs_.find(number);
  return found == proofs_.end() ? ShareProof{} : found->second;
}

}  // namespace vmr
