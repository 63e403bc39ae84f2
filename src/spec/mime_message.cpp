// SPDX-License-Identifier: MIT
#include "spec/mime_message.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"

#include <algorithm>
#include <optional>

namespace vmr {
namespace {

/// Messages in messages; nobody writes more, and each is read once for each that holds it.
constexpr int deepest_message = 20;

/// Takes the next line off `text`, with its end: "\n", "\r\n" or "\r".
std::string_view take_line(std::string_view& text) {
  auto end = text.find_first_of("\r\n");
  if (end == text.npos) {
    end = text.size();
  } else {
    end += text.substr(end).starts_with("\r\n") ? 2 : 1;
  }
  const auto line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// The place of the colon behind a header's name; none: the line is no header.
std::optional<std::size_t> find_colon(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos) return std::nullopt;
  const auto name = line.substr(0, colon);
  const bool is_name =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  return is_name ? std::optional(colon) : std::nullopt;
}

/// Takes the headers off `text`, and the empty line behind them.
void take_headers(std::string_view& text, MimePart& part) {
  while (!text.empty()) {
    auto rest = text;
    const auto line = without_line_end(take_line(rest));
    const auto colon = find_colon(line);
    if (line.starts_with(' ') || line.starts_with('\t')) {
      if (!part.headers.empty()) part.headers.back().second += line;
    } else if (colon) {
      part.headers.emplace_back(line.substr(0, *colon), line.substr(*colon + 1));
    } else if (!line.starts_with("From ")) {
      // What is neither a header nor empty is the first line of the body.
      if (line.empty()) text = rest;
      break;
    }
    text = rest;
  }
  for (auto& [name, value] : part.headers) value = std::string(without_blanks(value));
}

std::string read_type(const std::string& header) {
  const auto type =
      ascii_lower(without_blanks(std::string_view(header).substr(0, header.find(';'))));
  return std::count(type.begin(), type.end(), '/') == 1 ? type : "text/plain";
}

/// The parameter `boundary` of a Content-Type.
std::string read_boundary(std::string_view header) {
  while (!header.empty()) {
    // A semicolon in quotes is no end.
    bool in_quotes = false;
    std::size_t end = 0;
    for (; end < header.size() && (in_quotes || header[end] != ';'); ++end) {
      if (header[end] == '"') in_quotes = !in_quotes;
    }
    const auto parameter = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    const auto equals = parameter.find('=');
    if (equals == parameter.npos) continue;
    if (ascii_lower(without_blanks(parameter.substr(0, equals))) != "boundary") continue;
    auto value = without_blanks(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value.substr(0, value.find_last_not_of(' ') + 1));
  }
  return {};
}

std::string decode_quoted_printable(std::string_view text) {
  const auto digit = [](char c) {
    const auto lower = ascii_lower(c);
    if (is_ascii_digit(lower)) return lower - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string bytes;
  while (!text.empty()) {
    const char c = text.front();
    const int high = text.size() > 2 ? digit(text[1]) : -1;
    const int low = text.size() > 2 ? digit(text[2]) : -1;
    if (c == '=' && high >= 0 && low >= 0) {
      bytes += static_cast<char>(high * 16 + low);
      text.remove_prefix(3);
    } else if (c == '=' &&
               (text.substr(1).starts_with('\n') || text.substr(1).starts_with("\r\n"))) {
      take_line(text);
    } else {
      bytes += c;
      text.remove_prefix(1);
    }
  }
  return bytes;
}

/// Python makes one byte of each character from U+0080 to U+00FF, which is no UTF-8 any more.
std::string narrow_latin(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const bool is_latin = (lead == 0xC2 || lead == 0xC3) && i + 1 < text.size();
    bytes += is_latin ? static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3F)) : text[i];
  }
  return bytes;
}

std::string decode_body(std::string_view body, const std::string& encoding) {
  if (encoding == "base64") return decode_base64(body);
  if (encoding == "quoted-printable") return decode_quoted_printable(body);
  return narrow_latin(body);
}

/// The texts between the lines of `boundary`.
std::vector<std::string_view> split_at_boundary(std::string_view body,
                                                const std::string& boundary) {
  const std::string separator = "--" + boundary;
  std::vector<std::string_view> texts;
  const char* from = nullptr;
  while (!body.empty()) {
    const auto* line_start = body.data();
    auto line = without_line_end(take_line(body));
    bool is_end = false;
    bool is_boundary = line.starts_with(separator);
    if (is_boundary) {
      line.remove_prefix(separator.size());
      is_end = line.starts_with("--");
      if (is_end) line.remove_prefix(2);
      is_boundary = line.find_first_not_of(" \t") == line.npos;
    }
    if (!is_boundary) continue;
    // The end of the line before belongs to the boundary.
    if (from != nullptr) texts.push_back(without_line_end({from, std::size_t(line_start - from)}));
    from = is_end ? nullptr : body.data();
    if (is_end) return texts;
  }
  if (from != nullptr) texts.push_back(without_line_end({from, std::size_t(body.data() - from)}));
  return texts;
}

void read_parts(std::string_view text, int depth, std::vector<MimePart>& parts) {
  MimePart part;
  take_headers(text, part);
  const auto type = header_of(part, "Content-Type");
  part.type = read_type(type);
  if (part.type.starts_with("multipart/")) {
    const auto boundary = read_boundary(type);
    if (boundary.empty() || depth == deepest_message) return;
    for (const auto piece : split_at_boundary(text, boundary)) read_parts(piece, depth + 1, parts);
  } else if (part.type == "message/rfc822" && depth < deepest_message) {
    read_parts(text, depth + 1, parts);
  } else {
    part.body = decode_body(text, ascii_lower(header_of(part, "Content-Transfer-Encoding")));
    parts.push_back(std::move(part));
  }
}

}  // namespace

std::string header_of(const MimePart& part, std::string_view name) {
  const auto found = std::find_if(
      part.headers.begin(), part.headers.end(),
      [&](const auto& header) { return ascii_lower(header.first) == ascii_lower(name); });
  return found == part.headers.end() ? "" : found->second;
}

std::vector<MimePart> read_mime_message(std::string_view text) {
  std::vector<MimePart> parts;
  read_parts(text, 0, parts);
  return parts;
}

}  // namespace vmr
