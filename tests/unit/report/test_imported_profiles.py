"""Profiles of other tools: read from what perf really wrote, told where they are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.cli import main
from pytest_arm64.inside.measure.hotspots import SAMPLES, Function, Spent
from pytest_arm64.inside.measure.profile_record import Profile, aligned
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.imported_profiles import ProfileError, read_profiles
from unit.support import attempt

# Recorded with perf 6.1 from `perf record -e cpu-clock --call-graph dwarf python3.12 -X perf w.py`.
RECORDED = Path(__file__).with_name("profiles")
FOLDED = """\
python;py::<module>:/srv/app/w.py;py::normalise:/srv/app/w.py;_PyEval_EvalFrameDefault 60
python;py::<module>:/srv/app/w.py;py::Net.run:/srv/app/net.py;dgemm_kernel 30
swapper;cpu_idle 10
"""
TABLE = (
    'Function,Module,Self %,Samples\n"normalise, loops",w.py,"60.5%",1200\nrun,net.py,39.5%,790\n'
)
NATIVE = Ran("aarch64", "graviton3", emulated=False, stand_in=False)


def only(path: Path) -> Profile:
    (found,) = read_profiles(path)
    return found


def of(path: Path, text: str) -> Profile:
    path.write_text(text, "utf-8")
    return only(path)


def shares(profile: Profile) -> dict[str, float]:
    return {f"{f.file} {f.name}": round(profile.share(f), 3) for f in profile.functions}


def test_samples_belong_to_the_innermost_python_function() -> None:
    found = only(RECORDED / "perf-script.txt")
    assert next(iter(found.functions)) == Function("w.py", 0, "normalise_with_loops")
    assert found.seconds == 15 * 2004008
    assert shares(found) == {
        "w.py normalise_with_loops": 0.867,
        "w.py <module>": 0.067,
        "w.py classify": 0.067,
    }


@pytest.mark.parametrize(
    ("name", "own"), [("perf-report.txt", 29.55), ("perf-report-children.txt", 29.53)]
)
def test_a_report_tells_symbols_and_their_own_share(name: str, own: float) -> None:
    found = only(RECORDED / name)
    function, spent = next(iter(found.functions.items()))
    assert function == Function("libpython3.12.so.1.0", 0, "_PyEval_EvalFrameDefault")
    assert spent.seconds == own


def test_folded_stacks(tmp_path: Path) -> None:
    assert shares(of(tmp_path / "f", FOLDED)) == {
        "/srv/app/w.py normalise": 0.6,
        "/srv/app/net.py run": 0.3,
        " cpu_idle": 0.1,
    }


def test_a_table_is_read_by_its_heads(tmp_path: Path) -> None:
    found = of(tmp_path / "t.csv", TABLE)
    assert shares(found) == {"w.py normalise, loops": 0.605, "net.py run": 0.395}


def test_of_several_events_one_is_counted(tmp_path: Path) -> None:
    sample = "python 7 [000] 1.5: {} {}:\n\t  1f py::f{}:w.py+0x5 (/tmp/perf-7.map)\n\n"
    text = sample.format(5, "cycles:u", 1) + sample.format(999, "instructions:u", 2)
    found = of(tmp_path / "p", text + "my prog 7/8 2.5: 3 cycles:u: ff main+0x1 (/bin/a (deleted))")
    assert found.functions == {
        Function("w.py", 0, "f1"): Spent(5.0),
        Function("a (deleted)", 0, "main"): Spent(3.0),
    }


def test_an_imported_function_stands_beside_the_same_one_of_a_cell(tmp_path: Path) -> None:
    ours = Function("app/w.py", 12, "normalise")
    cell = Profile(NATIVE, SAMPLES, 1.0, {ours: Spent(1.0)})
    found = aligned([of(tmp_path / "f", FOLDED.replace("/srv/", "/elsewhere/")), cell])
    assert found[0].share(ours) == 0.6
    same_name = Function("other/w.py", 3, "normalise")
    apart = aligned(
        [of(tmp_path / "f", FOLDED), Profile(NATIVE, SAMPLES, 1.0, {same_name: Spent(1)})]
    )
    assert apart[0].share(same_name) == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a profile in a known format"),
        (b"PERFILE2h\0\0\0\0\0", "perf script -i perf.data"),
        (b"{}", "not a profile.json"),
        (b'{"profiles": [{"format": 99}]}', "profile is not of format 1"),
        (b"{" * 9999, "not JSON"),
        (b"perf 7 1.5: 5 cycles:\n\n", "no function was found"),
        (b"name,colour\nx,1\n", "not a profile in a known format"),
    ],
)
def test_what_is_no_profile(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(ProfileError) as error:
        read_profiles(tmp_path / "p")
    assert told in str(error.value)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(ProfileError, match="No such file"):
        read_profiles(Path("nowhere.txt"))


@given(st.data())
def test_any_change_of_a_profile_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed"
    script = (RECORDED / "perf-script.txt").read_text("utf-8")[:1500]
    report = (RECORDED / "perf-report.txt").read_text("utf-8")
    text = data.draw(st.sampled_from([script, report, FOLDED, TABLE]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    path.write_text(text[:start] + data.draw(st.text(max_size=20)) + text[end:], "utf-8")
    attempt(ProfileError, lambda: read_profiles(path))


def test_names_cannot_drive_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f").write_text("a;py::\x1b[31mred:w.py 1\n", "utf-8")
    assert main(["profile", f"\x1b[2J={tmp_path / 'f'}"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_command_shows_sides_and_what_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "before.txt").write_text(FOLDED, "utf-8")
    cell = Profile(NATIVE, SAMPLES, 2.0, {Function("app/w.py", 12, "normalise"): Spent(0.2)})
    document = {"format": 1, "profiles": [cell.to_json()]}
    (tmp_path / "profile.json").write_text(json.dumps(document), "utf-8")
    sides = [f"before={tmp_path / 'before.txt'}", f"after={tmp_path / 'profile.json'}"]
    assert main(["profile", *sides]) == 0
    out = capsys.readouterr().out
    assert "[1] before: told by folded stacks: shares of its samples" in out
    assert "[2] after: aarch64 native, core graviton3: sampled by processor time" in out
    (line,) = [line for line in out.splitlines() if line.endswith("app/w.py:12 normalise")]
    assert line.split()[:3] == ["60.0%", "10.0%", "-50.0"]
    assert main(["profile", "--format", "json", *sides]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["tool"] for one in told["profiles"]] == ["imported", "samples"]
