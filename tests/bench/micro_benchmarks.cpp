// SPDX-License-Identifier: MIT
// What a start computes, step by step, with one share and with many. Each benchmark is named
// "FIGURE/CONTENDER", as scripts/benchmark/part_micro.py reads it.
#include "config/load.hpp"
#include "config/variables.hpp"
#include "plan/launch_plan.hpp"
#include "plan/seed.hpp"
#include "run/line_splitter.hpp"
#include "run/seed_image.hpp"
#include "spec/password.hpp"
#include "spec/vm_spec.hpp"
#include "support/hosts.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <benchmark/benchmark.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace vmr::bench {
namespace {

using Strings = std::vector<std::string>;

/// What was measured must have worked.
void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

void require(const std::vector<Problem>& none) {
  if (!none.empty()) throw std::runtime_error(format(none.front()));
}

/// The environment of a container, with this many virtiofs shares of a folder each.
Strings environment_of(int shares) {
  Strings variables = {"GUEST_PASSWORD=secret", "GUEST_NAME=bench", "MEMORY=1G", "CPUS=2",
                       "PATH=/usr/bin:/bin",    "HOME=/root"};
  for (int number = 1; number <= shares; ++number) {
    variables.push_back(fmt::format("{}=/share{}", share_variable(number, "SOURCE"), number));
    variables.push_back(share_variable(number, "DRIVER") + "=virtiofs");
  }
  return variables;
}

/// The same as a file.
std::string toml_of(int shares) {
  std::string text =
      "guest_password = \"secret\"\nguest_name = \"bench\"\nmemory = \"1G\"\ncpus = 2\n";
  for (int number = 1; number <= shares; ++number) {
    text += fmt::format("[[share]]\nsource = \"/share{}\"\ndriver = \"virtiofs\"\n", number);
  }
  return text;
}

Host host_of(int shares) {
  auto host = test::docker_host();
  for (int number = 1; number <= shares; ++number) {
    host.files.emplace(fmt::format("/share{}", number), test::folder());
  }
  return host;
}

Config config_of(int shares) {
  auto loaded = load_config({}, environment_of(shares), {});
  require(loaded.problems);
  return std::move(loaded.config);
}

VmSpec spec_of(int shares) {
  auto resolved = resolve(config_of(shares), host_of(shares));
  require(resolved.problems);
  return std::move(resolved.spec);
}

void read_environment(benchmark::State& state, int shares) {
  const auto environment = environment_of(shares);
  for (auto _ : state) benchmark::DoNotOptimize(load_config({}, environment, {}));
}

void read_toml(benchmark::State& state, int shares) {
  const ConfigFile file{"vm.toml", toml_of(shares)};
  require(load_config({}, {}, file).problems);
  for (auto _ : state) benchmark::DoNotOptimize(load_config({}, {}, file));
}

/// With a password, whose hash is most of it.
void check_rules(benchmark::State& state, int shares) {
  const auto config = config_of(shares);
  const auto host = host_of(shares);
  for (auto _ : state) benchmark::DoNotOptimize(resolve(config, host));
}

void plan(benchmark::State& state, int shares) {
  const auto spec = spec_of(shares);
  const auto host = host_of(shares);
  for (auto _ : state) benchmark::DoNotOptimize(make_plan(spec, host));
}

void write_seed_texts(benchmark::State& state, int shares) {
  const auto spec = spec_of(shares);
  for (auto _ : state) benchmark::DoNotOptimize(make_seed(spec));
}

void write_seed(benchmark::State& state, int shares) {
  const auto seed = make_seed(spec_of(shares));
  std::string folder = std::filesystem::temp_directory_path() / "vm-runner-bench-XXXXXX";
  require(::mkdtemp(folder.data()) != nullptr, "a temporary folder can be made");
  const auto path = folder + "/seed.iso";
  for (auto _ : state) write_seed_image(seed, path);
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

void hash(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(hash_password("secret", "0123456789abcdef"));
}

/// 256 answers of QEMU, in pieces of a pipe's size, as lines.
void split_lines(benchmark::State& state) {
  std::string stream;
  for (int id = 0; id < 256; ++id) {
    stream +=
        fmt::format(R"({{"return": {{"running": true, "status": "running"}}, "id": {}}})", id);
    stream += "\r\n";
  }
  constexpr std::size_t piece = 4096;
  for (auto _ : state) {
    LineSplitter splitter;
    std::size_t lines = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      lines += splitter.feed(std::string_view(stream).substr(at, piece)).size();
    }
    require(lines == 256, "every line is found");
  }
}

void read_json(benchmark::State& state) {
  const std::string line = R"({"return": {"running": true, "status": "running"}, "id": 7})";
  for (auto _ : state) benchmark::DoNotOptimize(boost::json::parse(line));
}

void add_all() {
  using Step = void (*)(benchmark::State&, int);
  const std::vector<std::pair<std::string, Step>> steps = {
      {"read the environment", read_environment},          {"read a TOML file", read_toml},
      {"check the rules, hash the password", check_rules}, {"plan", plan},
      {"write the texts of the seed", write_seed_texts},   {"write the seed image", write_seed}};
  for (const auto& [name, step] : steps) {
    for (const int shares : {1, 32}) {
      const auto contender = shares == 1 ? "1 share" : fmt::format("{} shares", shares);
      benchmark::RegisterBenchmark(fmt::format("{}/{}", name, contender).c_str(), step, shares);
    }
  }
  benchmark::RegisterBenchmark("hash a password/once", hash);
  benchmark::RegisterBenchmark("split 256 lines of QEMU/once", split_lines);
  benchmark::RegisterBenchmark("parse an answer of QEMU/once", read_json);
}

}  // namespace
}  // namespace vmr::bench

int main(int argc, char** argv) {
  vmr::bench::add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
