"""Measures memlane beside other packages.

    python -m compare                              # everything, in a few minutes
    python -m compare --quick                      # the same, roughly
    python -m compare --peer multiprocessing lock  # beside one package, what has a word in its name
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import tempfile

from . import report
from .deaths import DEATHS
from .goals import COMPARISONS, Comparison
from .measurement import measure
from .pair import cores

_PACKAGES = (
    "memlane",
    "eclipse-zenoh",
    "faster-fifo",
    "global_buffer",
    "horus-robotics",
    "iceoryx2",
    "numpy",
    "pyzmq",
    "redis",
    "zerochannel",
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("word", nargs="?", default="", help="only what is measured with this in its name")
    parser.add_argument("--peer", help="only beside this module of `peers`")
    parser.add_argument("--rounds", type=int, default=11, help="how often each is measured (11)")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each time (0.2)")
    parser.add_argument(
        "--kills", type=int, choices=range(1, 15), default=10, help="how often a process is killed (10)"
    )
    parser.add_argument("--quick", action="store_true", help="--rounds 3 --seconds 0.05 --kills 2")
    parser.add_argument("--json", action="store_true", help="a line for each row, with each round's figure")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.kills = 3, 0.05, 2
    return arguments


def _is_of(way: str | None, peer: str | None) -> bool:
    return way is None or peer is None or way.partition(".")[0] == peer


def _versions() -> str:
    return ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _compare(comparison: Comparison, arguments: argparse.Namespace) -> None:
    goals = [goal for goal in comparison.goals if _is_of(goal.theirs, arguments.peer)]
    comparison = Comparison(comparison.scenario, goals)
    figures = measure(comparison, arguments.rounds, arguments.seconds)
    for goal in goals:
        theirs = None if goal.theirs is None else figures[goal.theirs]
        row = report.Row(comparison.scenario, goal, figures[goal.ours], theirs)
        print(row.json() if arguments.json else row.markdown(), flush=True)
        if row.met is False and goal.why and not arguments.json:
            print(f"| ↑ {goal.why} | | | | | | |", flush=True)


def _kill(arguments: argparse.Namespace) -> None:
    for death in DEATHS:
        for way in death.ways:
            if _is_of(way, arguments.peer) or _is_of(way, "memlane"):
                outcome = death.outcome(way, arguments.kills)
                show = report.death_json if arguments.json else report.death_markdown
                print(show(death.who, way, outcome), flush=True)


def main() -> None:
    """Everything that the arguments ask for."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        os.environ["MEMLANE_DIR"] = directory
        if not arguments.json:
            first, second = cores()
            print(
                f"Python {platform.python_version()}; {_versions()}. Cores {first} and {second} of {os.cpu_count()}, "
                f"{arguments.rounds} rounds of {arguments.seconds} s each, load {os.getloadavg()[0]:.1f} at the start. "
                "Medians, and in brackets the 10th and the 90th percentile.\n\n" + report.HEAD
            )
        for comparison in COMPARISONS:
            if arguments.word in comparison.scenario.what:
                _compare(comparison, arguments)
        if arguments.word in "killed":
            if not arguments.json:
                print("\n" + report.DEATHS_HEAD)
            _kill(arguments)


if __name__ == "__main__":
    main()
