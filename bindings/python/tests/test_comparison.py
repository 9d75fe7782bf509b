"""The comparison with other packages runs, as far as nothing has to be installed for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMPARISON = Path(__file__).parents[3] / "comparison" / "python"


@pytest.fixture(scope="module")
def rows():
    """All of it, as short as it can be; its figures mean nothing."""
    options = ["--json", "--peer", "multiprocessing", "--rounds", "1", "--seconds", "0.001", "--kills", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "compare", *options],
        cwd=COMPARISON,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_everything_is_measured(rows):
    sides = [side for row in rows if "what" in row for side in (row["ours"], row["theirs"]) if side]
    for side in sides:
        for way, rounds in side.items():
            # What failed has the reason in this place.
            assert isinstance(rounds, list), f"{way}: {rounds}"
            assert len(rounds) == 1 and rounds[0] > 0
    assert {"memlane.Lock", "memlane.Queue", "memlane.Frames", "memlane.Stream", "memlane.Value"} <= {
        way for side in sides for way in side
    }


def test_deaths_are_survived(rows):
    outcomes = {(row["killed"], row["of"]): row["outcome"] for row in rows if "killed" in row}
    assert "OwnerDied" in outcomes.pop(("holder of a lock", "memlane.Lock"))
    assert "hangs" in outcomes["holder of a lock", "multiprocessing.Lock"]
    ours = {what: outcome for what, outcome in outcomes.items() if what[1].startswith("memlane.")}
    assert len(ours) == 5
    for outcome in ours.values():
        assert "goes on" in outcome or "has it within" in outcome, ours
