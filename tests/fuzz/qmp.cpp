// SPDX-License-Identifier: MIT
// What QEMU says on its monitor.
#include "run/qmp.hpp"

#include "fuzz/json_peer.hpp"

namespace {

void serve(std::string_view text) {
  using namespace vmr::fuzz;
  constexpr int commands = 4;
  int answers = 0;
  int ends = 0;
  JsonPeer peer;
  const vmr::QmpHandlers handlers{[] {},
                                  [](const std::string& name, const boost::json::object&) {
                                    require(!name.empty(), "an event has a name");
                                  },
                                  [&] { ++ends; }};
  vmr::Qmp qmp(peer.executor(), peer.take_end(), handlers);
  for (int i = 0; i < commands; ++i) {
    qmp.execute("query-status", {}, [&](const vmr::JsonAnswer& answer) {
      ++answers;
      require(answer.ok() || answer.result.is_null(), "what failed has no result");
    });
  }
  peer.say(text);
  require(answers <= commands && ends == 0, "an answer comes once");
  peer.close();
  require(answers == commands && ends == 1, "every command has an answer at the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vmr::fuzz::require_bounded_log([&] { serve(vmr::fuzz::text_of(data, size)); });
  return 0;
}
