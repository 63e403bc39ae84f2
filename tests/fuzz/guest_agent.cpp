// SPDX-License-Identifier: MIT
// What a guest's agent answers.
#include "run/guest_agent.hpp"

#include "fuzz/json_peer.hpp"

namespace {

void serve(std::string_view text) {
  using namespace vmr::fuzz;
  constexpr int commands = 4;
  int answers = 0;
  JsonPeer peer;
  vmr::GuestAgent agent(peer.executor(), peer.take_end());
  agent.set_present(true);
  for (int i = 0; i < commands; ++i) {
    agent.execute("guest-exec", {{"path", "/bin/sh"}}, [&](const vmr::JsonAnswer& answer) {
      ++answers;
      require(answer.ok() || answer.result.is_null(), "what failed has no result");
    });
  }
  peer.say(text);
  require(answers <= commands, "an answer comes once");
  agent.set_present(false);
  require(answers == commands, "every command has an answer at the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vmr::fuzz::require_bounded_log([&] { serve(vmr::fuzz::text_of(data, size)); });
  return 0;
}
