// SPDX-License-Identifier: MIT
#include "spec/user_data.hpp"

#include "base/ascii.hpp"
#include "base/user_data_size.hpp"
#include "base/utf8.hpp"
#include "spec/cloud_config_merge.hpp"
#include "spec/default_user.hpp"
#include "spec/given_path.hpp"
#include "spec/later_boots.hpp"
#include "spec/user_data_parts.hpp"
#include "spec/vendor_data.hpp"
#include "spec/yaml_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmr {
namespace {

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

/// Why cloud-init does not know `text`, as far as that is not all that can be said.
std::string why_unknown(const std::string& text) {
  if (is_blank(text)) return "it is empty; ";
  if (text.starts_with("\xEF\xBB\xBF")) {
    return "it begins with a byte order mark, which has to go; ";
  }
  const auto start = ascii_lower(text.substr(0, 4096));
  if (start.starts_with("content-type:")) return "it is a MIME message without MIME-Version:; ";
  if (start.starts_with("---")) return "no line may be before its beginning; ";
  return {};
}

/// Why cloud-init does nothing with parts of this type.
std::string why_not_handled(const UserDataPart& part) {
  if (part.type == "text/cloud-config-archive") return "it is no list in YAML";
  if (part.type == "text/x-not-multipart" || part.type == "text/plain") {
    return why_unknown(part.text) +
           fmt::format("cloud-init knows what begins with {}", user_data_beginnings);
  }
  return fmt::format("cloud-init does not know its type, '{}'", part.type);
}

/// Takes parts one after the other, as cloud-init does.
class Judge {
 public:
  explicit Judge(bool is_only_part) : is_only_part_(is_only_part) { judgement_.is_taken = false; }

  void take(const UserDataPart& part) {
    auto reason = is_handled_type(part.type) ? handle(part) : why_not_handled(part);
    if (reason.empty()) {
      judgement_.is_taken = true;
    } else if (is_only_part_ || !is_blank(part.text)) {
      judgement_.warnings.push_back(
          fmt::format("cloud-init would ignore {}: {}", subject_of(part), reason));
    }
  }

  UserDataJudgement finish() {
    judgement_.against_mounts = setting_against_mounts(config_);
    judgement_.disables_login = is_login_disabled(config_);
    judgement_.has_default_user = has_default_user(config_);
    judgement_.lets_root_in = is_root_let_in(config_);
    for (auto& fault : find_later_faults(config_)) add_fault(std::move(fault));
    if (judgement_.warnings.empty() && !judgement_.is_taken) {
      judgement_.warnings.push_back(
          "cloud-init would ignore it: it is a MIME message without parts");
    }
    return std::move(judgement_);
  }

 private:
  static std::string subject_of(const UserDataPart& part) {
    return part.name.empty() ? "it" : "'" + part.name + "' of it";
  }

  /// Why cloud-init would ignore the part; empty: it takes it.
  std::string handle(const UserDataPart& part) {
    if (part.type == "text/cloud-config") return add_config(part, part.text);
    if (part.type == "text/cloud-config-jsonp") return add_patch(part);
    if (part.type == "text/jinja2") return add_template(part);
    if (part.type.starts_with("text/x-shellscript") || part.type == "text/cloud-boothook") {
      for (auto& fault : find_later_faults(std::string_view(part.text))) {
        add_fault(std::move(fault));
      }
    }
    if (part.type.starts_with("text/x-include")) {
      judgement_.notes.push_back(fmt::format(
          "what {} includes is not looked at: were it to turn vendor-data off, the guest would not "
          "mount its shares",
          subject_of(part)));
    }
    return {};
  }

  std::string add_config(const UserDataPart& part, const std::string& text) {
    if (!is_utf8(text)) {
      return "it is not UTF-8, or in a MIME message with letters such as é and without "
             "'Content-Transfer-Encoding: base64'";
    }
    auto [value, problem] = read_yaml(text);
    if (!problem.empty()) return "it is not YAML that cloud-init reads: " + problem;
    if (value.kind == YamlValue::Kind::null) return {};
    if (!value.is_map()) return "it is no map in YAML";
    const bool is_merged = merge_cloud_config(config_, std::move(value), part.merge_type);
    return is_merged ? "" : "cloud-init cannot merge it as it says";
  }

  std::string add_patch(const UserDataPart& part) {
    const auto [patch, problem] = read_yaml(without_first_word(part.text));
    if (!problem.empty()) return "it is not JSON: " + problem;
    return apply_json_patch(config_, patch) ? "" : "its JSON patch does not fit what is before it";
  }

  /// What stands in a template as it is can be read; what it makes of it only the guest knows.
  /// Why cloud-init would ignore it; empty: it takes it, or nobody can tell.
  std::string add_template(const UserDataPart& part) {
    const auto line = part.text.find('\n', part.text.find("##"));
    const auto text = line == part.text.npos ? std::string() : part.text.substr(line + 1);
    const auto type = type_by_beginning(text);
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (type.empty() && (begin == text.npos || text[begin] != '{')) {
      return fmt::format(
          "behind the first line of a template, cloud-init knows what begins with {}",
          user_data_beginnings);
    }
    if (type != "text/cloud-config") return {};
    if (add_config(part, text).empty()) return {};
    if (text.find("vendor_data") == text.npos) return {};
    judgement_.warnings.push_back(
        fmt::format("whether {} turns vendor-data off is only known in the guest, since it is a "
                    "template; if so, "
                    "the guest does not mount its shares",
                    subject_of(part)));
    return {};
  }

  void add_fault(std::string fault) {
    auto& faults = judgement_.later_faults;
    if (std::find(faults.begin(), faults.end(), fault) == faults.end()) {
      faults.push_back(std::move(fault));
    }
  }

  static std::string without_first_word(const std::string& text) {
    constexpr std::string_view beginning = "#cloud-config-jsonp";
    const auto start = text.find(beginning);
    return start == text.npos ? text : text.substr(start + beginning.size());
  }

  bool is_only_part_;
  UserDataJudgement judgement_;
  YamlValue config_ = YamlValue::empty_map();
};

/// A login that was given and is nobody's.
void warn_of_login(const Config& config, const UserDataJudgement& judgement,
                   const std::string& subject, Findings& findings) {
  const auto& password = config.guest_password;
  const auto& keys = config.ssh_pubkey;
  const bool is_refused = !judgement.against_mounts.empty() && !config.shares.empty();
  if (judgement.disables_login && !is_refused && !password.value.empty()) {
    findings.warnings.push_back(fmt::format("{}it turns vendor-data off, so {} has no effect",
                                            subject, password.origin.variable));
  }
  if (judgement.has_default_user) return;
  std::string given = password.value.empty() ? "" : password.origin.variable;
  if (!keys.value.empty() && !judgement.lets_root_in) {
    given += (given.empty() ? "" : " and ") + keys.origin.variable;
  }
  if (given.empty()) return;
  findings.warnings.push_back(fmt::format(
      "{}its users are without 'default', so nobody gets {}; add '- default' to them, or "
      "give a login there",
      subject, given));
}

}  // namespace

UserDataJudgement judge_user_data(const std::string& bytes) {
  const auto found = read_user_data_parts(bytes);
  UserDataJudgement judgement;
  if (found.is_too_large) {
    judgement.is_too_large = true;
    return judgement;
  }
  if (found.has_bad_message) {
    judgement.is_taken = false;
    judgement.warnings.emplace_back("cloud-init ends at it: a MIME message has to be UTF-8");
    return judgement;
  }
  Judge judge(found.parts.size() == 1);
  for (const auto& part : found.parts) judge.take(part);
  return judge.finish();
}

bool check_user_data(const Config& config, const Host& host, Findings& findings) {
  const auto& given = config.cloud_init_user_data;
  if (given.value.empty()) return false;
  if (!host.user_data_problem.empty()) {
    if (!refuse_wrapped(given, findings)) {
      findings.refuse(given, host.user_data_problem,
                      "name a readable file with cloud-init user-data");
    }
    return true;
  }
  const auto judgement = judge_user_data(host.user_data);
  if (judgement.is_too_large) {
    findings.refuse(given, fmt::format("it expands to more than {} MiB", largest_user_data >> 20),
                    "name a file with cloud-init user-data");
    return true;
  }
  const auto subject = fmt::format("{}='{}': ", given.origin.variable, given.value);
  if (!judgement.against_mounts.empty() && !config.shares.empty()) {
    findings.refuse(given, "it turns vendor-data off, so the guest would not mount its shares",
                    fmt::format("take '{}' out of it, or set CLOUD_INIT=0 and mount the shares by "
                                "hand",
                                judgement.against_mounts));
  }
  warn_of_login(config, judgement, subject, findings);
  if (!config.shares.empty()) {
    for (const auto& fault : judgement.later_faults) {
      findings.warnings.push_back(
          fmt::format("{}{}: the guest's next boot would not mount its shares as they are then",
                      subject, fault));
    }
  }
  for (const auto& warning : judgement.warnings) findings.warnings.push_back(subject + warning);
  for (const auto& note : judgement.notes) findings.notes.push_back(subject + note);
  return judgement.is_taken;
}

}  // namespace vmr
