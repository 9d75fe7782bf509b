"""The command line: `memlane`, or `python -m memlane`."""

import sys

from ._memlane import run_command


def main() -> int:
    """Runs the command line of this process; returns its exit code."""
    return run_command(["memlane", *sys.argv[1:]], sys.executable)


if __name__ == "__main__":
    sys.exit(main())
