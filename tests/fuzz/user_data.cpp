// SPDX-License-Identifier: MIT
// User-data is judged as a whole; the same bytes are YAML of one document and a MIME message.
#include "spec/user_data.hpp"

#include "fuzz/fuzz.hpp"
#include "spec/mime_message.hpp"
#include "spec/user_data_parts.hpp"
#include "spec/yaml_value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmr::fuzz;
  const std::string text(text_of(data, size));
  const auto judgement = vmr::judge_user_data(text);
  require(judgement.is_taken || !judgement.warnings.empty(), "what is ignored is warned of");
  require(judgement.against_mounts.empty() || judgement.is_taken,
          "what is ignored turns nothing off");
  require(judgement == vmr::judge_user_data(text), "the same user-data is judged alike");
  for (const auto& part : vmr::read_mime_message(text)) {
    require(part.body.size() <= text.size(), "a part is no longer than its message");
  }
  const auto [value, problem] = vmr::read_yaml(text);
  require(problem.empty() || value == vmr::YamlValue{}, "what is not read has no value");
  (void)vmr::judge_user_data("#cloud-config\n" + text);
  return 0;
}
