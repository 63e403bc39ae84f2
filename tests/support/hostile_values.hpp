// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace vmr::test {

/// File names that break what quotes them wrongly; without "/", none is "." or "..".
inline std::vector<std::string> hostile_names() {
  return {"a,b",
          ",readonly=off",
          ",,x,",
          "a=b,c=d",
          " blank ",
          "it's",
          "say \"hi\"",
          "two\nlines",
          "tab\there",
          "$(touch x)",
          "`id`",
          "${HOME}",
          "100%s%n",
          "back\\slash",
          "\\101",
          "ends with\\",
          "-rf",
          "~",
          "#x",
          "*?[a]",
          "\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80",
          "\xff\xfe",
          std::string(255, 'x'),
          std::string(255, ',')};
}

}  // namespace vmr::test
