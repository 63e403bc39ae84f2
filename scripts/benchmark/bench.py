#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the parts of the benchmark one after the other and reports. scripts/bench starts it."""
import argparse
import importlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import report
import results as kept
from measure import Bench, CannotRun, Part

SOURCES = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", allow_abbrev=False,
                                     description="measures vm-runner against bare QEMU and libvirt")
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works, not to measure")
    parser.add_argument("--only", default=",".join(kept.PARTS), metavar="PART,…",
                        help=f"these parts of {', '.join(kept.PARTS + kept.ON_REQUEST)}; the results of the others are kept")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md also after a quick run")
    parser.add_argument("--render", action="store_true", help="write it from the last results, and measure nothing")
    parser.add_argument("--vm-runner", type=Path, default=SOURCES / "build/release/vm-runner",
                        help="the program to measure, in its build folder")
    parser.add_argument("--tiny-guest", type=Path, default=CACHE / "vm-runner/tiny-guest",
                        help="the folder that scripts/build-tiny-guest made")
    parser.add_argument("--results", type=Path, default=SOURCES / "build/bench/results.json",
                        help="where results are kept")
    parser.add_argument("--docs", type=Path, default=SOURCES / "docs", help="where the document is written")
    given = parser.parse_args()
    given.only = given.only.split(",")
    for name in given.only:
        if name not in kept.PARTS + kept.ON_REQUEST:
            parser.error(f"--only: there is no part '{name}'; the parts are {', '.join(kept.PARTS + kept.ON_REQUEST)}")
    return given


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def measure(name: str, given: argparse.Namespace) -> Part:
    """Raises CannotRun where the part is not there or lacks something."""
    if not (Path(__file__).parent / f"part_{name}.py").exists():
        raise CannotRun("it is not written yet")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(given.vm_runner.resolve(), given.vm_runner.resolve().parent, given.tiny_guest.resolve(),
                      Path(folder), given.quick)
        return importlib.import_module(f"part_{name}").run(bench)


def measure_all(given: argparse.Namespace, results: kept.Results) -> bool:
    """Keeps the results after each part, so that none is lost; returns whether none failed."""
    failed = []
    for name in [name for name in kept.PARTS + kept.ON_REQUEST if name in given.only]:
        say(f"measuring: {name}")
        start = time.monotonic()
        part, why_not = None, ""
        try:
            part = measure(name, given)
            say(f"{name} took {time.monotonic() - start:.0f} s")
        except CannotRun as reason:
            why_not = str(reason)
            say(f"left out: {name}: {why_not}")
        except Exception as error:  # pylint: disable=broad-except  # the other parts are worth having
            traceback.print_exc()
            failed.append(name)
            why_not = f"it failed: {type(error).__name__}: {error}"
            say(f"failed: {name}; the others go on")
        results.keep(name, part, why_not, given.quick)
        results.machine = kept.machine_facts()
        kept.save(results, given.results)
    return not failed


def main() -> int:
    given = arguments()
    results = kept.load(given.results)
    worked = True
    if not given.render:
        worked = measure_all(given, results)
        print(report.terminal_table(results, given.only))
    if given.render or given.write or not given.quick:
        for path in report.write_document(results, given.docs):
            say(f"wrote {path}")
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
