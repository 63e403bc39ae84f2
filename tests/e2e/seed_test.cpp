// SPDX-License-Identifier: MIT
// The seed that the guest's kernel reads is the one that `vm-runner seed` writes, byte for byte.
#include "host/capture.hpp"
#include "host/programs.hpp"
#include "support/guest.hpp"
#include "support/public_key.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vmr::test;

TEST_CASE("the guest reads the seed that is written for it byte for byte") {
  const TemporaryFolder host;
  // No newline at the end, and bytes that are easily damaged on the way.
  const std::string script = guest_script(
      "cp /run/seed/* /mnt/out/\n"
      "say \"$(ls /run/seed | tr '\\n' ' ')\"\n"
      "say \"$(findfs LABEL=cidata)\"\n"
      "exit 0\n"
      "\r\n\t\x01\xff\xfe größe --vm-runner-part\n%s $(x) # no newline at the end");
  const TextFile user_data(script);
  const auto variables = join(join(tiny_settings(), {{"CLOUD_INIT_USER_DATA", user_data.path()},
                                                     {"GUEST_NAME", "seed.test"},
                                                     {"SSH_PUBKEY", ed25519_key + " it's \"me\""}}),
                              join(share(1, {{"SOURCE", host / "out"}}),
                                   share(2, {{"SOURCE", host / "it's, ü"}, {"DRIVER", "9p"}})));

  const auto seen = observe(run_launcher(variables));
  CHECK(seen.status == 0);
  CHECK(seen.said == std::vector<std::string>{"meta-data user-data vendor-data ", "/dev/vda"});

  const auto written = run_launcher(variables, {"seed", "-o", host / "seed.iso"});
  CHECK_MESSAGE(written.status == 0, written.log);
  const auto xorriso = vmr::find_in_path("xorriso");
  REQUIRE_MESSAGE(!xorriso.empty(), "install xorriso");
  const auto extracted = vmr::capture({xorriso, "-osirrox", "on", "-indev", host / "seed.iso",
                                       "-extract", "/", host / "extracted"});
  CHECK_MESSAGE(extracted.ok, extracted.errors);
  for (const std::string name : {"meta-data", "user-data", "vendor-data"}) {
    CAPTURE(name);
    const auto text = read_file(host / ("extracted/" + name));
    CHECK_FALSE(text.empty());
    CHECK(read_file(host / ("out/" + name)) == text);
  }
  CHECK(read_file(host / "out/user-data") == script);
  CHECK(read_file(host / "out/meta-data") ==
        "instance-id: \"iid-seed.test\"\n"
        "local-hostname: \"seed.test\"\n"
        "public-keys:\n"
        "  - \"" +
            ed25519_key + " it's \\\"me\\\"\"\n");
}
