# SPDX-License-Identifier: MIT
"""What a start computes, by Google Benchmark (tests/bench): the time on the clock of one iteration."""
import json
import subprocess
from collections import defaultdict

from measure import Bench, CannotRun, Part, Series

IN_MICROSECONDS = {"ns": 0.001, "us": 1.0, "ms": 1000.0, "s": 1e6}


def measured(bench: Bench) -> list[dict]:
    """Every repetition of every benchmark; they are taken in a random order, which spreads what drifts."""
    program = bench.build / "tests/bench/micro_benchmarks"
    if not program.exists():
        raise CannotRun("the micro benchmarks are not built (-DVM_RUNNER_BENCH=ON)")
    output = bench.folder / "micro.json"
    subprocess.run([program, "--benchmark_format=json", f"--benchmark_out={output}",
                    f"--benchmark_repetitions={bench.rounds(15)}", "--benchmark_enable_random_interleaving=true",
                    "--benchmark_min_time=0.05"], check=True, capture_output=True, env={"TMPDIR": str(bench.folder)})
    return [one for one in json.loads(output.read_text())["benchmarks"] if one["run_type"] == "iteration"]


def series_of(benchmarks: list[dict]) -> list[Series]:
    samples: dict[str, list[float]] = defaultdict(list)
    for one in sorted(benchmarks, key=lambda one: one["family_index"]):
        samples[one["run_name"]].append(one["real_time"] * IN_MICROSECONDS[one["time_unit"]])
    return [Series(*name.rsplit("/", 1), "µs", values) for name, values in samples.items()]


def run(bench: Bench) -> Part:
    return Part("micro", "What a start computes", "1 share", series_of(measured(bench)))
