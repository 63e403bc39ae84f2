// SPDX-License-Identifier: MIT
#include "base/nearest.hpp"

#include <doctest/doctest.h>

using namespace vmr;

TEST_CASE("each kind of edit counts one") {
  CHECK(count_edits("MEMORY", "MEMORY", 3) == 0);
  CHECK(count_edits("memory", "MEMORY", 3) == 0);
  CHECK(count_edits("MEMOR", "MEMORY", 3) == 1);
  CHECK(count_edits("MEMORYS", "MEMORY", 3) == 1);
  CHECK(count_edits("MEMOXY", "MEMORY", 3) == 1);
  CHECK(count_edits("MEMROY", "MEMORY", 3) == 1);
  CHECK(count_edits("EMMROY", "MEMORY", 3) == 2);
  CHECK(count_edits("", "", 3) == 0);
  CHECK(count_edits("", "ab", 3) == 2);
}

TEST_CASE("edits are the same both ways") {
  CHECK(count_edits("KITTEN", "SITTING", 9) == 3);
  CHECK(count_edits("SITTING", "KITTEN", 9) == 3);
}

TEST_CASE("beyond the limit every distance is limit and one") {
  CHECK(count_edits("MEMORY", "KERNEL", 2) == 3);
  CHECK(count_edits("a", "abcdefghij", 2) == 3);
  CHECK(count_edits("ab", "ba", 0) == 1);
}

TEST_CASE("a very long word costs nothing and is near to nothing") {
  CHECK(count_edits(std::string(10000000, 'A'), "MEMORY", 3) == 4);
  CHECK(nearest(std::string(10000000, 'A'), {"MEMORY", "CPUS"}) == std::nullopt);
}

TEST_CASE("the nearest word is the one with the fewest edits") {
  CHECK(nearest("agrs", {"run", "args", "seed"}) == "args");
  CHECK(nearest("Mapped", {"passthrough", "mapped", "squash"}) == "mapped");
  CHECK(nearest("viritofs", {"virtiofs", "9p", "auto"}) == "virtiofs");
}

TEST_CASE("the first of equals is taken") {
  CHECK(nearest("FMODX", {"FMODE", "FMODY"}) == "FMODE");
  CHECK(nearest("XMODE", {"DMODE", "FMODE"}) == "DMODE");
}

TEST_CASE("a word that differs in more than a third of its length is not near") {
  CHECK(nearest("mapd", {"mapped"}) == std::nullopt);
  CHECK(nearest("mappd", {"mapped"}) == "mapped");
  CHECK(nearest("ab", {"abc"}) == std::nullopt);
  CHECK(nearest("", {"a"}) == std::nullopt);
  CHECK(nearest("run", {}) == std::nullopt);
}

TEST_CASE("more edits than the limit are not near however long the word") {
  CHECK(nearest("FILESYSTEM_THREAD_POOL_XXX", {"FILESYSTEM_THREAD_POOL_YYY"}) ==
        "FILESYSTEM_THREAD_POOL_YYY");
  CHECK(nearest("FILESYSTEM_THREAD_POOL_XXXX", {"FILESYSTEM_THREAD_POOL_YYYY"}) == std::nullopt);
  CHECK(nearest("CLOUDINITT", {"CLOUD_INIT"}, 1) == std::nullopt);
  CHECK(nearest("CLOUDINITT", {"CLOUD_INIT"}, 2) == "CLOUD_INIT");
}

TEST_CASE("bytes beyond ASCII are compared as they are") {
  CHECK(nearest("größe1", {"größe2"}) == "größe2");
  CHECK(count_edits("Ä", "ä", 3) == 1);
}
