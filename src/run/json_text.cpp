// SPDX-License-Identifier: MIT
#include "run/json_text.hpp"

namespace vmr {

namespace json = boost::json;

json::array to_json(const std::vector<std::string>& words) {
  json::array array;
  for (const auto& word : words) array.emplace_back(to_utf8(word));
  return array;
}

json::object to_json(const SharePlan& plan) {
  const Share& share = plan.share;
  json::object object = {{"index", share.number},
                         {"tag", to_utf8(share.tag)},
                         {"source", to_utf8(share.source)},
                         {"driver", std::string(word_for(share.driver))},
                         {"accessmode", std::string(word_for(share.accessmode))},
                         {"readonly", share.readonly},
                         {"mount", to_utf8(share.mount)}};
  if (plan.helper) object["sandbox"] = std::string(word_for(share.sandbox));
  return object;
}

}  // namespace vmr
