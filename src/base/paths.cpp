// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

namespace vmr {

std::string absolute_path(std::string_view path, std::string_view home,
                          std::string_view working_folder) {
  std::string whole;
  if (path == "~" || path.starts_with("~/")) {
    whole = std::string(home) + std::string(path.substr(1));
  } else if (path.starts_with('/')) {
    whole = path;
  } else {
    whole = std::string(working_folder) + '/' + std::string(path);
  }

  std::string clean;
  for (std::string_view rest = whole; !rest.empty();) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    if (!part.empty() && part != ".") clean.append("/").append(part);
    rest = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return clean.empty() ? "/" : clean;
}

}  // namespace vmr
