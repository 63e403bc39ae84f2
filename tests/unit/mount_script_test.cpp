// SPDX-License-Identifier: MIT
// What the guest is told to mount; tests/process runs the script.
#include "plan/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace vmr {
namespace {

Share share_with(int number, Driver driver, std::string tag, std::string mount) {
  Share share;
  share.number = number;
  share.driver = driver;
  share.tag = std::move(tag);
  share.mount = std::move(mount);
  return share;
}

/// The part behind the functions, which do not depend on the shares.
std::string calls(const std::vector<Share>& shares) {
  const auto script = mount_script(shares);
  const std::string end_of_functions = "\n}\n\n";
  return script.substr(script.rfind(end_of_functions) + end_of_functions.size());
}

std::string one_call(const Share& share) {
  const auto text = calls({share});
  const auto begin = text.find("mount_share");
  return text.substr(begin, text.find("\nreport 'done'") - begin);
}

TEST_CASE("a mount script is a shell script that always succeeds") {
  const auto script = mount_script({share_with(1, Driver::virtiofs, "share", "/mnt/share")});
  CHECK(script.starts_with("#!/bin/sh\n"));
  CHECK(script.find("\nwanted_port=org.vm-runner.shares\n") != script.npos);
  CHECK(script.ends_with("\nreport 'done'\nexit 0\n"));
}

TEST_CASE("each share is one call and each file system is loaded once") {
  auto readonly = share_with(3, Driver::ninep, "data", "/srv/data");
  readonly.readonly = true;
  CHECK(
      calls({share_with(1, Driver::virtiofs, "share", "/mnt/share"),
             share_with(2, Driver::ninep, "old", "/mnt/old"), readonly,
             share_with(4, Driver::ninep, "last", "/srv/last")}) ==
      "modprobe -q virtiofs 2>/dev/null\n"
      "modprobe -q -a 9p 9pnet_virtio 2>/dev/null\n"
      "mount_share 1 virtiofs rw share /mnt/share share:/mnt/share\n"
      "mount_share 2 9p trans=virtio,version=9p2000.L,msize=512000 old /mnt/old old:/mnt/old\n"
      "mount_share 3 9p trans=virtio,version=9p2000.L,msize=512000,ro data /srv/data "
      "data:/srv/data\n"
      "mount_share 4 9p trans=virtio,version=9p2000.L,msize=512000 last /srv/last last:/srv/last\n"
      "report 'done'\n"
      "exit 0\n");
}

TEST_CASE("a read-only virtiofs share is mounted read-only") {
  auto share = share_with(1, Driver::virtiofs, "share", "/mnt/share");
  share.readonly = true;
  CHECK(one_call(share) == "mount_share 1 virtiofs ro share /mnt/share share:/mnt/share");
}

TEST_CASE("a folder is mounted before those below it") {
  CHECK(calls({share_with(1, Driver::virtiofs, "inner", "/srv/a/b"),
               share_with(2, Driver::virtiofs, "outer", "/srv/a")}) ==
        "modprobe -q virtiofs 2>/dev/null\n"
        "mount_share 2 virtiofs rw outer /srv/a outer:/srv/a\n"
        "mount_share 1 virtiofs rw inner /srv/a/b inner:/srv/a/b\n"
        "report 'done'\n"
        "exit 0\n");
}

TEST_CASE("what a person types to mount a share") {
  CHECK(mount_command(share_with(1, Driver::virtiofs, "share", "/mnt/share")) ==
        "mount -t virtiofs -o rw -- share /mnt/share");
  CHECK(mount_command(share_with(1, Driver::ninep, "it's", "/srv/my data")) ==
        "mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 -- 'it'\\''s' '/srv/my data'");
}

TEST_CASE("only a writable mapped share is opened to every guest user") {
  auto share = share_with(1, Driver::ninep, "s", "/mnt/s");
  const std::string plain =
      "mount_share 1 9p trans=virtio,version=9p2000.L,msize=512000 s /mnt/s s:/mnt/s";
  CHECK(one_call(share) == plain);
  share.accessmode = AccessMode::squash;
  CHECK(one_call(share) == plain);
  share.accessmode = AccessMode::mapped;
  CHECK(one_call(share) == plain + " a+rwx");
  share.readonly = true;
  CHECK(one_call(share) ==
        "mount_share 1 9p trans=virtio,version=9p2000.L,msize=512000,ro s /mnt/s s:/mnt/s");
}

TEST_CASE("the cache word becomes a 9p mount option") {
  const auto with_cache = [](CacheMode cache) {
    auto share = share_with(1, Driver::ninep, "s", "/mnt/s");
    share.cache = cache;
    return one_call(share);
  };
  const std::string begin = "mount_share 1 9p trans=virtio,version=9p2000.L,msize=512000";
  CHECK(with_cache(CacheMode::automatic) == begin + " s /mnt/s s:/mnt/s");
  CHECK(with_cache(CacheMode::none) == begin + ",cache=none s /mnt/s s:/mnt/s");
  CHECK(with_cache(CacheMode::metadata) == begin + ",cache=mmap s /mnt/s s:/mnt/s");
  CHECK(with_cache(CacheMode::always) == begin + ",cache=loose s /mnt/s s:/mnt/s");

  auto virtiofs = share_with(1, Driver::virtiofs, "s", "/mnt/s");
  virtiofs.cache = CacheMode::always;
  CHECK(one_call(virtiofs) == "mount_share 1 virtiofs rw s /mnt/s s:/mnt/s");
}

TEST_CASE("hostile tags and folders are single shell words of printable ASCII") {
  const auto words = [](std::string tag, std::string mount) {
    const std::string begin = "mount_share 1 virtiofs rw ";
    const auto call = one_call(share_with(1, Driver::virtiofs, std::move(tag), std::move(mount)));
    REQUIRE(call.starts_with(begin));
    CHECK(std::all_of(call.begin(), call.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    return call.substr(begin.size());
  };
  CHECK(words("-x", "/mnt/-x") == "-x /mnt/-x -x:/mnt/-x");
  CHECK(words("a b", "/mnt/a b") == "'a b' '/mnt/a b' a%20b:/mnt/a%20b");
  CHECK(words("a,b", "/mnt/a,b") == "a,b /mnt/a,b a%2Cb:/mnt/a%2Cb");
  CHECK(words("a'b\"c", "/m'") == R"('a'\''b"c' '/m'\''' a%27b%22c:/m%27)");
  CHECK(words("$(touch pwned)", "/mnt/`id`") ==
        "'$(touch pwned)' '/mnt/`id`' %24%28touch%20pwned%29:/mnt/%60id%60");
  CHECK(words("%n", "/mnt/\\n") == R"(%n '/mnt/\n' %25n:/mnt/%5Cn)");
  CHECK(words("\xc3\xbc", "/mnt/\xc3\xbc b") ==
        R"sh("$(printf '\303\274')" /mnt/"$(printf '\303\274')"' b' %C3%BC:/mnt/%C3%BC%20b)sh");
  CHECK(words("a\xff", "/mnt/\r") ==
        R"sh(a"$(printf '\377')" /mnt/"$(printf '\015')" a%FF:/mnt/%0D)sh");
  CHECK(one_call(share_with(1, Driver::virtiofs, "a\nb", "/\n")) ==
        "mount_share 1 virtiofs rw 'a\nb' '/\n' a%0Ab:/%0A");
  CHECK(words("", "/mnt/x") == "'' /mnt/x :/mnt/x");
  std::string blanks;
  for (int i = 0; i < 4000; ++i) blanks += "%20";
  CHECK(words(std::string(5000, 'a'), "/" + std::string(4000, ' ')) ==
        std::string(5000, 'a') + " '/" + std::string(4000, ' ') + "' " + std::string(5000, 'a') +
            ":/" + blanks);
}

}  // namespace
}  // namespace vmr
