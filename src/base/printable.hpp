// SPDX-License-Identifier: MIT
// Text of others made fit to be shown: what a terminal or an editor would obey is written out.
#pragma once

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace vmr {

/// `text` with all that is obeyed and not shown written as \n, \t, \xNN or \uNNNN, so that it stays
/// on one line, tells a terminal nothing and is read in the order in which it is written: control
/// characters (also those of one byte that is not UTF-8), U+2028, U+2029, and the characters that
/// turn the direction of a text. Doing it twice changes nothing more.
std::string on_one_line(std::string_view text);

/// `text` with the same characters written as \uNNNN, for a string of TOML or JSON.
std::string with_escapes(std::string_view text);

/// `value` as one line of JSON in UTF-8, with its newline, in which the same characters are written
/// as \uNNNN: a reader of JSON gets them back, a terminal does not.
std::string json_line(const boost::json::value& value);

}  // namespace vmr
