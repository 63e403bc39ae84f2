// SPDX-License-Identifier: MIT
#include "spec/public_keys.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace vmr {
namespace {

constexpr std::string_view blanks = " \t";

/// As OpenSSH writes them; those of certificates end with "-cert-v01@openssh.com".
constexpr std::array<std::string_view, 7> key_types = {"ssh-ed25519",
                                                       "ssh-rsa",
                                                       "ecdsa-sha2-nistp256",
                                                       "ecdsa-sha2-nistp384",
                                                       "ecdsa-sha2-nistp521",
                                                       "sk-ssh-ed25519@openssh.com",
                                                       "sk-ecdsa-sha2-nistp256@openssh.com"};
constexpr std::string_view certificate_end = "-cert-v01@openssh.com";

/// The options of authorized_keys that sshd(8) knows; a key behind any other is nobody's.
constexpr std::array<std::string_view, 2> plain_options = {"cert-authority", "restrict"};
/// Those that may have a "no-" before them.
constexpr std::array<std::string_view, 7> switches = {
    "agent-forwarding", "port-forwarding", "pty",           "touch-required",
    "user-rc",          "verify-required", "x11-forwarding"};
/// Those with a value, which is in quotes.
constexpr std::array<std::string_view, 8> valued_options = {
    "command",      "environment", "expiry-time", "from",
    "permitlisten", "permitopen",  "principals",  "tunnel"};

constexpr std::string_view usual_hint =
    "give the contents of a .pub file, for instance \"$(cat ~/.ssh/id_ed25519.pub)\"";

bool is_certificate(std::string_view type) {
  if (!type.ends_with(certificate_end)) return false;
  type.remove_suffix(certificate_end.size());
  const auto begins_with_it = [&](std::string_view known) {
    return known.substr(0, known.find('@')) == type;
  };
  return std::any_of(key_types.begin(), key_types.end(), begins_with_it);
}

bool is_key_type(std::string_view word) {
  return std::find(key_types.begin(), key_types.end(), word) != key_types.end() ||
         is_certificate(word);
}

bool looks_like_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

/// Takes the next word off `text`, and the blanks around it.
std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  const auto word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  skip_blanks(text);
  return word;
}

/// Takes what is before the first of `ends` outside quotes off `text`. None when quotes stay open.
std::optional<std::string_view> take_quoted(std::string_view& text, std::string_view ends) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size() && (quoted || ends.find(text[at]) == ends.npos); ++at) {
    if (text[at] == '\\' && text.substr(at + 1).starts_with('"')) {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    }
  }
  const auto taken = text.substr(0, at);
  text.remove_prefix(taken.size());
  return quoted ? std::nullopt : std::optional(taken);
}

bool is_among(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether sshd knows the option, with the value that it has or without one.
bool is_known_option(std::string_view option) {
  const std::string lower = ascii_lower(option.substr(0, option.find('=')));
  std::string_view name = lower;
  if (option.size() > name.size()) {
    const auto value = option.substr(name.size() + 1);
    return is_among(valued_options, name) && value.size() > 1 && value.front() == '"' &&
           value.back() == '"';
  }
  constexpr std::string_view negation = "no-";
  if (is_among(plain_options, name)) return true;
  if (name.starts_with(negation)) name.remove_prefix(negation.size());
  return is_among(switches, name);
}

/// The first of the options that sshd does not take; none: all are fine.
std::optional<std::string_view> find_unknown_option(std::string_view options) {
  while (true) {
    const auto option = take_quoted(options, ",");
    if (!option || !is_known_option(*option)) return option.value_or(options);
    if (options.empty()) return std::nullopt;
    options.remove_prefix(1);
  }
}

/// Takes a string off `bytes`, as RFC 4251 has them: its size in four bytes, and itself.
std::optional<std::string_view> take_string(std::string_view& bytes) {
  constexpr std::size_t size_bytes = 4;
  if (bytes.size() < size_bytes) return std::nullopt;
  std::uint32_t size = 0;
  for (const char byte : bytes.substr(0, size_bytes)) {
    size = size << 8 | static_cast<unsigned char>(byte);
  }
  bytes.remove_prefix(size_bytes);
  if (size > bytes.size()) return std::nullopt;
  const auto string = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return string;
}

/// Why the base64 word `data` is not that of a key of this type; empty: it is.
std::string_view objection_to(std::string_view data, std::string_view type) {
  constexpr std::size_t ed25519_size = 32;
  if (data.empty() || data.front() == '#') return "has no key behind its type";
  const auto decoded = decode_base64(data);
  // What is no base64 is passed over in decoding.
  if (base64(decoded) != data) return "has a key that is not whole, or no base64";
  std::string_view rest = decoded;
  const auto inner = take_string(rest);
  if (!inner) return "has a key that is not whole";
  if (*inner != type) return "has a key that is of another type than the word before it says";
  // There are numbers in a certificate too.
  if (is_certificate(type)) return {};
  if (rest.empty()) return "has a key that is not whole";
  while (!rest.empty()) {
    const auto field = take_string(rest);
    const bool is_wrong = !field || (type == "ssh-ed25519" && field->size() != ed25519_size);
    if (is_wrong) return "has a key that is not whole";
  }
  return {};
}

/// The type of a key with which `word` ends, be it behind a comma or a literal "\n"; empty: none.
std::string_view type_at_end_of(std::string_view word) {
  while (!word.empty() && !is_key_type(word)) word.remove_prefix(1);
  return word;
}

/// Whether what is behind the type of a key has another key in it, which OpenSSH takes for a
/// comment.
bool has_another_key(std::string_view text) {
  constexpr std::string_view base64_characters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  while (!text.empty()) {
    const auto type = type_at_end_of(take_word(text));
    auto rest = text;
    const auto word = take_word(rest);
    const auto data = word.substr(0, word.find_first_not_of(base64_characters));
    if (!type.empty() && objection_to(data, type).empty()) return true;
  }
  return false;
}

bool is_path(std::string_view line) {
  return line.starts_with('/') || line.starts_with("~") || line.starts_with("./") ||
         line.starts_with("../") || (line.ends_with(".pub") && line.find(' ') == line.npos);
}

/// Whether it is the first line of another format, which takes several lines.
bool begins_other_format(std::string_view line) {
  return line.starts_with("-----BEGIN ") || line.starts_with("---- BEGIN ") ||
         line.starts_with("PuTTY-User-Key-File");
}

KeyFault fault_of_format(int number, std::string_view line) {
  if (line.find("PRIVATE") != line.npos || line.starts_with("PuTTY")) {
    return {number, "begins a private key", "keep that to yourself: " + std::string(usual_hint)};
  }
  return {number, "begins a key in a format that OpenSSH does not read here",
          "convert it with ssh-keygen -i -f FILE (-m PKCS8 for one that says BEGIN PUBLIC KEY)"};
}

/// By its name alone: its value may be a secret.
KeyFault fault_of_option(int number, std::string_view option) {
  constexpr std::size_t longest = 40;
  const std::string hint =
      "take it out, or write it as in sshd(8), AUTHORIZED_KEYS: restrict,command=\"…\"";
  const auto name = option.substr(0, std::min(option.find('='), longest));
  if (is_among(valued_options, ascii_lower(name))) {
    return {number,
            fmt::format("has the option '{}' without a value in quotes, so that the key would not "
                        "count",
                        name),
            hint};
  }
  return {number,
          fmt::format("has '{}' before its key, which OpenSSH takes for no option, so that the key "
                      "would not count",
                      name),
          hint};
}

/// Why `line`, which is neither blank nor a comment, is no key.
std::optional<KeyFault> find_fault(int number, std::string_view line) {
  if (is_path(line)) {
    return KeyFault{number, "is the path of a file, and the key itself is asked for",
                    "give the contents of the file: SSH_PUBKEY=\"$(cat FILE)\""};
  }
  auto rest = line;
  std::string_view options;
  auto type = take_word(rest);
  if (!is_key_type(type) && !looks_like_key_type(type)) {
    rest = line;
    const auto taken = take_quoted(rest, blanks);
    if (!taken) return KeyFault{number, "has options with an open quote", "close it"};
    options = *taken;
    type = take_word(rest);
  }
  if (!is_key_type(type)) {
    return KeyFault{number,
                    looks_like_key_type(type) ? "has a type of key that OpenSSH does not take"
                                              : "is not an SSH public key",
                    std::string(usual_hint)};
  }
  if (const auto unknown = options.empty() ? std::nullopt : find_unknown_option(options)) {
    return fault_of_option(number, *unknown);
  }
  const auto behind = rest;
  const auto data = take_word(rest);
  if (data.find("\\n") != data.npos || has_another_key(behind)) {
    return KeyFault{
        number, "holds several keys",
        "separate them by line breaks, not by commas, blanks or \\n as text: SSH_PUBKEY=\"$(cat "
        "FILE FILE)\", or $'…\\n…' in bash"};
  }
  if (const auto objection = objection_to(data, type); !objection.empty()) {
    return KeyFault{number, std::string(objection), std::string(usual_hint)};
  }
  return std::nullopt;
}

}  // namespace

PublicKeys read_public_keys(std::string_view text) {
  PublicKeys read;
  const bool is_given = !text.empty();
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || blanks.find(line.back()) != blanks.npos)) {
      line.remove_suffix(1);
    }
    skip_blanks(line);
    if (line.empty() || line.front() == '#') continue;
    if (begins_other_format(line)) {
      read.faults.push_back(fault_of_format(number, line));
      return read;
    }
    if (auto fault = find_fault(number, line)) {
      read.faults.push_back(std::move(*fault));
    } else {
      read.keys.emplace_back(line);
    }
  }
  if (is_given && read.keys.empty() && read.faults.empty()) {
    read.faults.push_back({0, "there is no key in it, only comments or blanks",
                           std::string(usual_hint) + ", or leave it out"});
  }
  return read;
}

}  // namespace vmr
