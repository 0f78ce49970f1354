"""Whatever a check does, the others run, the file holds what was found, and the exit code says if something failed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import check_gpu
from check_gpu import main
from gpu_check_bodies import LIMIT_S, check
from gpu_checks import record as record_module
from gpu_checks.catalogue import CHECKS
from gpu_checks.record import Record
from grpo_rust.cli import ExitCode

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
TEN_MINUTES_S = 600
KILL_S = 10.0  # in which a process that is killed has gone
SCRIPT = """
import runpy, sys, check_gpu
from gpu_check_bodies import check
import gpu_checks.catalogue
gpu_checks.catalogue.CHECKS = (check("passing"), check("sleeping"))
runpy.run_path(check_gpu.__file__, run_name="__main__")
"""
DRIVER = (
    "import sys, check_gpu; from gpu_check_bodies import check; check_gpu.CHECKS = ({}); sys.exit(check_gpu.main())"
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`check_gpu.py` with the given checks: its exit code and the file's content."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))

    def run(*checks: Any, arguments: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr(check_gpu, "CHECKS", checks)
        file = tmp_path / "gpu.json"
        code = main(["--device", "cpu", "--small", "--json", str(file), *arguments])
        return code, json.loads(file.read_text())

    return run


def exists(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    ends = time.monotonic() + KILL_S
    while exists(pid) and time.monotonic() < ends:
        time.sleep(0.1)
    return not exists(pid)


def test_figures_are_kept_and_the_machine_is_named(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run(check("passing"), check("skipping"))
    assert code == ExitCode.DONE
    passed, skipped = content["checks"]["passing"], content["checks"]["skipping"]
    assert passed["status"] == "passed" and 0 < passed["seconds"] < 60
    assert passed["figures"] == {"noted_s": 1.5, "returned_mb": 2, "limit_s": 60.0, "asked": "cpu True"}
    assert skipped["status"] == "skipped" and skipped["reason"] == "there is no such thing here"
    assert content["machine"]["device"] == "cpu" and content["machine"]["cores"] >= 1
    assert content["small"] is True and {"started", "command", "commit", "python", "packages"} <= set(content)
    assert "torch" in content["packages"] and "--small" in content["command"]
    printed = capsys.readouterr().out
    assert "passing      passed" in printed and "noted_s 1.5" in printed and "1 passed, 1 skipped" in printed


def test_a_check_that_hangs_is_killed_with_its_children_and_the_rest_runs(run: Any) -> None:
    code, content = run(check("hanging", LIMIT_S), check("passing"))
    hung = content["checks"]["hanging"]
    assert code == ExitCode.CHECK_FAILED and hung["status"] == "hung" and "3 s" in hung["reason"]
    assert LIMIT_S <= hung["seconds"] < LIMIT_S + KILL_S
    assert gone(hung["figures"]["child"]), "what the check had started still runs"
    assert content["checks"]["passing"]["status"] == "passed"


def test_a_crash_is_reported_with_its_output_and_the_rest_runs(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run(check("aborting"), check("raising"), check("passing"))
    aborted, raised = content["checks"]["aborting"], content["checks"]["raising"]
    assert code == ExitCode.CHECK_FAILED
    assert aborted["status"] == "crashed" and "SIGABRT" in aborted["reason"] and aborted["figures"] == {"before_mb": 7}
    assert raised["status"] == "crashed" and raised["reason"] == "ZeroDivisionError: a fault of the check"
    assert "Traceback" in raised["output_tail"] and content["checks"]["passing"]["status"] == "passed"
    assert "--only aborting" in capsys.readouterr().out


def test_what_does_not_hold_is_said_with_what_to_do(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run(check("failing"), check("failing_host"))
    failed, host = content["checks"]["failing"], content["checks"]["failing_host"]
    assert code == ExitCode.CHECK_FAILED and failed["figures"] == {"found_nats": 0.5}
    assert (failed["status"], failed["reason"], failed["advice"]) == (
        "failed",
        "it is wrong by 0.5 nats",
        "do not use it",
    )
    assert host["status"] == "failed" and "the engine died: restart it" in host["reason"]
    printed = capsys.readouterr().out
    assert "failing: it is wrong by 0.5 nats" in printed and "what to do: do not use it" in printed


def test_a_check_whose_package_is_missing_is_skipped(run: Any) -> None:
    code, content = run(check("lacking_a_package"))
    assert code == ExitCode.DONE
    assert content["checks"]["lacking_a_package"]["reason"] == "no_such_package is not installed"


def test_a_missing_package_that_all_training_needs_is_no_reason_to_skip(run: Any) -> None:
    code, content = run(check("lacking_what_all_need"))
    failed = content["checks"]["lacking_what_all_need"]
    assert code == ExitCode.CHECK_FAILED and failed["status"] == "failed"
    assert "torch is not installed" in failed["reason"] and "pip install" in failed["advice"]


def test_without_time_left_a_check_is_skipped_and_the_last_one_gets_the_rest(run: Any) -> None:
    code, content = run(check("passing"), arguments=("--minutes", "0.05"))
    assert code == ExitCode.DONE and "no time left of 0.05 minutes" in content["checks"]["passing"]["reason"]
    _, content = run(check("passing", 8.0), arguments=("--minutes", "5"))
    assert content["checks"]["passing"]["figures"]["limit_s"] == 8.0
    _, content = run(check("passing", 8.0, takes_rest=True), arguments=("--minutes", "5"))
    assert 290 < content["checks"]["passing"]["figures"]["limit_s"] <= 300


def test_a_run_that_is_killed_leaves_what_was_done_and_no_process(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    program = DRIVER.format("check('passing'), check('sleeping')")
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "scripts", HERE)))
    command = [sys.executable, "-c", program, "--device", "cpu", "--small", "--json", str(file)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL)
    try:
        child = second_check(process.pid, file)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    content = json.loads(file.read_text())
    assert {name: result["status"] for name, result in content["checks"].items()} == {"passing": "passed"}
    assert gone(child), "the check that ran still runs"


def second_check(parent: int, file: Path) -> int:
    """The process of the second check, once the first one is in the file."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        time.sleep(0.1)
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if file.exists() and json.loads(file.read_text())["checks"] and children:
            return int(children[0])
    raise AssertionError("the first check did not end")


def test_a_run_that_is_asked_to_end_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        file = tmp_path / f"{signal_number}.json"
        command = [sys.executable, "-c", SCRIPT, "--device", "cpu", "--small", "--json", str(file)]
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "scripts", HERE)))
        (tmp_path / "tmp").mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path / "tmp")}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        child = second_check(process.pid, file)
        process.send_signal(signal_number)
        assert process.wait(KILL_S) == ExitCode.INTERRUPTED
        assert gone(child) and not list((tmp_path / "tmp").iterdir())
        assert list(json.loads(file.read_text())["checks"]) == ["passing"]


def test_a_check_that_got_less_than_its_limit_has_not_failed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_gpu, "SHORTEST_S", 1.0)
    code, content = run(check("hanging", 60.0), arguments=("--minutes", f"{LIMIT_S / 60}"))
    cut = content["checks"]["hanging"]
    assert code == ExitCode.DONE and cut["status"] == "skipped" and gone(cut["figures"]["child"])
    assert "ended after 3 s: no time left" in cut["reason"] and "--only hanging" in cut["reason"]


def test_the_files_folder_is_made_and_a_file_that_cannot_be_written_is_refused_before_any_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "gpu.json"
    Record(file, argv=[], device="cpu", small=True)
    assert json.loads(file.read_text())["checks"] == {}
    assert main(["--only", "head", "--json", str(file / "below.json")]) == ExitCode.BAD_INPUT
    assert "cannot be written" in capsys.readouterr().err


def test_a_disk_that_becomes_full_does_not_stop_the_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path / "gpu.json", argv=[], device="cpu", small=True)

    def full(path: Path, content: Any) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(record_module, "write_json", full)
        record.add("first", {"status": "passed", "figures": {}})
    assert "No space left" in capsys.readouterr().err
    record.add("second", {"status": "passed", "figures": {}})
    assert list(json.loads((tmp_path / "gpu.json").read_text())["checks"]) == ["first", "second"]


def test_the_checks_are_listed_and_take_ten_minutes_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert 60 * check_gpu.arguments([]).minutes == TEN_MINUTES_S
    assert len({found.name for found in CHECKS}) == len(CHECKS)
    assert main(["--list"]) == ExitCode.DONE
    printed = capsys.readouterr().out
    assert all(found.name in printed and found.meaning in printed for found in CHECKS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "haed"], "no such check: haed"),
        (["--skip", "machine,none"], "no such check: none"),
        (["--minutes", "0"], "give more than 0"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert said in capsys.readouterr().err


def test_a_model_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "no config.json there" in capsys.readouterr().err


def test_a_models_directory_is_that_of_the_callers_folder(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").touch()
    monkeypatch.chdir(tmp_path)
    _, content = run(check("passing"), arguments=("--model", "model"))
    assert content["checks"]["passing"]["figures"]["asked"].endswith(str(tmp_path / "model"))


def test_real_sizes_on_a_cpu_are_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    assert main(["--device", "cpu", "--only", "head", "--json", str(file)]) == ExitCode.DONE
    assert "--small" in json.loads(file.read_text())["checks"]["head"]["reason"]


@pytest.mark.slow
def test_every_check_passes_here_at_a_small_size_or_says_why_not(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    command = [sys.executable, "scripts/check_gpu.py", "--small", "--device", "cpu", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TEN_MINUTES_S)
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    checks = json.loads(file.read_text())["checks"]
    assert list(checks) == [found.name for found in CHECKS]
    for name, result in checks.items():
        assert result["status"] in ("passed", "skipped") and (result["figures"] or result["reason"]), name
        assert f"{name:12} {result['status']}" in done.stdout
    assert checks["pretrained"]["reason"] == "no --model DIR with a checkpoint was given"
    assert checks["decode"]["figures"]["paged_gap_mean_nats"] < 1e-4, "the same weights in another process"
