"""grpo_rust.following: every step is sent once, in order, over cuts and failures; real trackers hold all of it."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from grpo.config import TrackSection
from grpo.errors import BadInput
from grpo.run.metrics import explain
from grpo.schema import ConfigError, to_toml
from grpo.watch.memory import memory_metrics
from grpo_rust.following import process, trackers
from grpo_rust.following.__main__ import main, one_at_a_time
from grpo_rust.following.feeding import Feeder
from grpo_rust.following.news import RunNews
from grpo_rust.following.process import FollowerProcess
from grpo_rust.following.sent import Sent
from grpo_rust.following.to_wandb import ErrorLog
from grpo_rust.following.trackers import TrackedRun, refuse_missing
from grpo_rust.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
STEPS, EVALUATIONS = "metrics.jsonl", "evals.jsonl"


def log(run: Path, name: str, *lines: Mapping[str, object]) -> None:
    """Append lines to a log of the run."""
    with open(run / name, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def step(number: int, **more: object) -> dict[str, object]:
    return {"step": number, "reward/mean": number / 4, **more}


def evaluation(number: int) -> dict[str, object]:
    return {"step": number, "num_prompts": 2, "eval/build": 0.5, "counts": {"build": [1, 2]}}


def make_run(path: Path, *settings: str) -> Path:
    """A run of three steps with an evaluation before and after."""
    path.mkdir()
    (path / "config.toml").write_text(to_toml(load_recipe(None, [f"run.dir={path}", "run.name=mine", *settings])))
    log(path, STEPS, step(1), step(2, **{"loss/total": None}), step(3))
    log(path, EVALUATIONS, evaluation(0), evaluation(3))
    return path


class Remembering:
    """A tracker that keeps what it gets, and fails where it is told to."""

    def __init__(self, failing: Callable[[], bool] = lambda: False) -> None:
        self.got: list[tuple[str, int]] = []
        self.values: dict[str, float] = {}
        self.closed, self._failing = 0, failing

    def metrics(self, number: int, values: Mapping[str, float]) -> None:
        self._take("metrics", number, values)

    def evaluation(self, number: int, values: Mapping[str, float]) -> None:
        self._take("evaluation", number, values)

    def close(self) -> None:
        self.closed += 1

    def _take(self, kind: str, number: int, values: Mapping[str, float]) -> None:
        if self._failing():
            raise ConnectionError("the server\nis away")
        self.got.append((kind, number))
        self.values.update(values)


def feeder(run: Path, tracker: Remembering, said: list[str], clock: Callable[[], float] = lambda: 0.0) -> Feeder:
    about = TrackedRun(run, "mine", "project", online=False)
    return Feeder("one", about, said.append, opening=lambda *_: tracker, clock=clock)


# The logs


def test_an_evaluation_comes_after_the_metrics_of_its_step_and_before_the_next(tmp_path: Path) -> None:
    news = RunNews(tmp_path)
    assert news.read() == []
    log(tmp_path, EVALUATIONS, evaluation(0), evaluation(2))
    assert [one[:2] for one in news.read()] == [(0, True)], "step 2 itself has not been logged yet"
    log(tmp_path, STEPS, step(1), step(2), step(3))
    assert [one[:2] for one in news.read()] == [(1, False), (2, False), (2, True), (3, False)]
    log(tmp_path, EVALUATIONS, evaluation(9))
    assert news.read() == [] and [one[:2] for one in news.read(last=True)] == [(9, True)]


def test_torn_and_foreign_lines_wait_or_are_skipped(tmp_path: Path) -> None:
    news = RunNews(tmp_path)
    (tmp_path / STEPS).write_text('{"step": 1, "time/step": 2}\nnothing\n[1]\n{"step": "2"}\n{"step": 3, "time')
    [only] = news.read()
    assert (only.step, only.values) == (1, {"time/step": 2.0})
    with open(tmp_path / STEPS, "a", encoding="utf-8") as file:
        file.write('/step": 4, "loss/total": NaN, "unknown": 1, "counts": {}}\n')
    [only] = news.read()
    assert (only.step, only.values) == (3, {"time/step": 4.0})


# One tracker


def test_every_step_is_sent_once_also_when_the_log_is_cut_and_written_again(tmp_path: Path) -> None:
    run, said, first, second = make_run(tmp_path / "run"), [], Remembering(), Remembering()
    feeder(run, first, said).feed(last=True)
    assert first.got == [("evaluation", 0), ("metrics", 1), ("metrics", 2), ("metrics", 3), ("evaluation", 3)]
    assert first.values == {"reward/mean": 0.75, "eval/build": 0.5} and first.closed == 1
    (run / "cut").write_text((run / STEPS).read_text().splitlines(keepends=True)[0])
    (run / "cut").replace(run / STEPS)  # as a resume from step 1 does
    again = feeder(run, second, said)
    again.feed()
    log(run, STEPS, step(2), step(3), step(4))
    again.feed()
    assert second.got == [("metrics", 4)] and said == []
    here = "offline project"
    kept = Sent(run / "tracking" / "one.json", metrics=4, evaluations=3, place=here, is_open=True)
    assert Sent.load(run, "one", here) == kept


def test_a_tracker_that_fails_is_told_of_once_tried_later_and_misses_nothing(tmp_path: Path) -> None:
    run, said, now, away = make_run(tmp_path / "run"), [], [0.0], [False]
    tracker = Remembering(lambda: away[0])
    fed = feeder(run, tracker, said, lambda: now[0])
    fed.feed()
    away[0] = True
    log(run, STEPS, step(4))
    for now[0] in (1.0, 30.0, 62.0, 63.0, 200.0):
        fed.feed()
    assert said == [
        "one does not take the metrics (ConnectionError: the server is away): the run goes on, and they are sent when "
        "it works again; tracking.log has the details"
    ]
    assert tracker.closed == 3, "at 1 s, 62 s and 200 s: after a pause of 60 s, then of 120 s"
    away[0] = False
    log(run, STEPS, step(5))
    for now[0] in (201.0, 441.0):
        fed.feed()
    assert tracker.got[-2:] == [("metrics", 4), ("metrics", 5)] and tracker.got.count(("metrics", 4)) == 1
    assert said[1:] == ["one works again, and gets what it missed"]


def test_a_failure_at_the_end_says_how_the_rest_is_sent(tmp_path: Path) -> None:
    run, said = make_run(tmp_path / "run"), []
    feeder(run, Remembering(lambda: True), said).feed(last=True)
    [text] = said
    assert f"python -m grpo_rust.following {run} sends the rest" in text


def test_a_tracker_that_was_not_closed_is_opened_and_closed_by_the_next_process(tmp_path: Path) -> None:
    run, said, killed, later = make_run(tmp_path / "run"), [], Remembering(), Remembering()
    feeder(run, killed, said).feed()  # and nothing after it, as of a process that was killed
    assert len(killed.got) == 5 and Sent.load(run, "one", "offline project").is_open
    feeder(run, later, said).feed(last=True)
    assert (later.got, later.closed, Sent.load(run, "one", "offline project").is_open) == ([], 1, False)
    feeder(run, later, said).feed(last=True)
    assert later.closed == 1 and said == [], "nothing is missing any more"
    elsewhere = TrackedRun(run, "mine", "project", online=True)
    Feeder("one", elsewhere, said.append, opening=lambda *_: later).feed(last=True)
    assert len(later.got) == 5, "the server has nothing of what was kept here"


def test_a_run_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", "track.to=tensorboard")
    (run / "tracking").write_text("in the way")
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    assert main([str(run)]) == 3
    assert capsys.readouterr().err.startswith("following: [Errno 17] File exists")


# What is refused


def test_unknown_trackers_are_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="'comet' is no tracker: use tensorboard, wandb, trackio, mlflow"):
        load_recipe(None, ["track.to=wandb, comet"])
    with pytest.raises(ConfigError, match="track.project = '../x'"):
        load_recipe(None, ["track.project=../x"])
    assert TrackSection().followers() == []
    assert load_recipe(None, ["track.to=wandb", "track.oxen=mine/runs"]).track.followers() == ["wandb", "oxen"]


def test_missing_packages_are_bad_input_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name in ("wandb", "alembic") else object())
    with pytest.raises(BadInput) as error:
        refuse_missing(["tensorboard", "wandb", "mlflow"], online=False)
    assert str(error.value).splitlines() == [
        "track.to asks for wandb, and wandb is not installed: pip install 'grpo-rust[wandb]'",
        "  track.to asks for mlflow, and alembic is not installed: pip install 'grpo-rust[mlflow]'",
    ]
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(trackers, "find_spec", lambda name: object())
    refuse_missing(["mlflow"], online=False)
    with pytest.raises(BadInput, match="mlflow does not know where to send; set MLFLOW_TRACKING_URI"):
        refuse_missing(["mlflow"], online=True)


def test_nothing_of_it_is_loaded_when_it_is_off() -> None:
    program = (
        "import sys; sys.path[:0] = ['.', 'scripts']\n"
        "import train\nfrom grpo_rust.recipe import load_recipe\nfrom grpo_rust.session import refuse_followers\n"
        "refuse_followers(load_recipe(None).track)\n"
        "names = ('grpo_rust.following', 'tensorboard', 'wandb', 'trackio', 'mlflow', 'oxen', 'torch')\n"
        "print([name for name in sys.modules if name.startswith(names)])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The process


@pytest.fixture
def fast_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose follower has a tracker that needs no package: TensorBoard's place is taken by a file of lines."""
    fake = tmp_path / "fake" / "tensorboard"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake.parent / "sitecustomize.py").write_text(
        "import sys, types\n"
        "class Lines:\n"
        "    def __init__(self, path): self.path = path\n"
        "    def metrics(self, step, values):\n"
        "        print('noise of a library', flush=True)\n"
        "        with open(self.path, 'a') as file: file.write(f'{step}\\n')\n"
        "        if step == 13: raise OSError('no luck')\n"
        "    def evaluation(self, step, values): pass\n"
        "    def close(self):\n"
        "        with open(self.path, 'a') as file: file.write('closed\\n')\n"
        "module = types.ModuleType('grpo_rust.following.to_tensorboard')\n"
        "module.open_run = lambda run, memory, say: Lines(run.path / 'lines')\n"
        "sys.modules[module.__name__] = module\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(fake.parent), os.environ.get("PYTHONPATH", "")]))
    return make_run(tmp_path / "run", "track.to=tensorboard")


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def sent(run: Path) -> list[str]:
    return (run / "lines").read_text().split() if (run / "lines").exists() else []


def test_a_process_follows_a_run_apart_from_it_and_closes_at_its_end(
    fast_process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, said = fast_process, []
    with FollowerProcess(run, said.append) as follower:
        until(lambda: sent(run) == ["1", "2", "3"])
        assert follower._process is not None
        pid = follower._process.pid
        assert os.getsid(pid) == pid and os.getpriority(os.PRIO_PROCESS, pid) >= 10
        monkeypatch.setattr("grpo.watch.memory.children", lambda own: [pid])  # other tests have workers
        assert "memory/workers" not in memory_metrics()
        with pytest.raises(BadInput, match="is being followed already"), one_at_a_time(run, waits=False):
            pass
        log(run, STEPS, step(12), step(13))
        until(lambda: follower.listen() is None and said != [])
    assert said[0].startswith("tensorboard does not take the metrics (OSError: no luck): the run goes on")
    assert len(said) == 2 and "sends the rest" in said[1]
    assert sent(run) == ["1", "2", "3", "12", "13", "closed", "13", "closed"]
    assert "noise of a library" in (run / process.LOG).read_text()


def test_a_killed_trainer_leaves_a_follower_that_sends_the_rest_and_ends(fast_process: Path) -> None:
    run = fast_process
    program = (
        "import sys, time; from pathlib import Path\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]\n"
        "from grpo_rust.following.process import FollowerProcess\n"
        f"with FollowerProcess(Path({str(run)!r}), print) as follower:\n"
        "    print(follower._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        follower = int(trainer.stdout.readline())
        until(lambda: sent(run) == ["1", "2", "3"])
        log(run, STEPS, step(4))
        os.kill(trainer.pid, signal.SIGKILL)
    until(lambda: sent(run) == ["1", "2", "3", "4", "closed"])
    until(
        lambda: not Path(f"/proc/{follower}").exists() or "Z" in Path(f"/proc/{follower}/stat").read_text().split()[2]
    )


def test_a_follower_that_dies_or_cannot_start_is_told_of_once(
    fast_process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, said = fast_process, []
    with FollowerProcess(run, said.append) as follower:
        assert follower._process is not None
        until(lambda: sent(run) != [])
        os.kill(follower._process.pid, signal.SIGKILL)
        until(lambda: follower.listen() is None and said != [])
        follower.listen()
    assert len(said) == 1 and "has ended with signal 9: the run goes on without it" in said[0]
    monkeypatch.setattr(process.sys, "executable", str(run / "no python"))
    with FollowerProcess(run, said.append) as follower:
        follower.listen()
    assert len(said) == 2 and "cannot be started" in said[1]


def test_one_that_takes_too_long_is_left_to_itself(fast_process: Path) -> None:
    run, said = fast_process, []
    with one_at_a_time(run, waits=False):  # so that it waits
        started = time.monotonic()
        with FollowerProcess(run, said.append, last_s=0.5) as follower:
            pass
        assert time.monotonic() - started < 10
    assert follower._process is not None and "have not taken everything after 0 s" in said[0]
    until(lambda: sent(run) == ["1", "2", "3", "closed"])


# Real trackers


def test_tensorboard_reads_back_what_was_logged(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = make_run(tmp_path / "run")
    assert main([str(run), "track.to=tensorboard"]) == 0
    log(run, STEPS, step(4))
    assert main([str(run), "track.to=tensorboard"]) == 0
    found = EventAccumulator(str(run / "tracking" / "tensorboard"))
    found.Reload()
    assert [(one.step, one.value) for one in found.Scalars("reward/mean")] == [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)]
    assert [(one.step, one.value) for one in found.Scalars("eval/build")] == [(0, 0.5), (3, 0.5)]
    assert set(found.Tags()["scalars"]) == {"reward/mean", "eval/build"}
    described = found.SummaryMetadata("reward/mean").summary_description
    assert described == f"{explain('reward/mean').meaning} [reward]"


def wandb_history(file: Path) -> Iterator[dict[str, float]]:
    """The rows of an offline run: records of protobuf in the blocks of LevelDB's log, behind seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # all of a record, or its end
            record, whole = Record.FromString(whole), b""
            if record.WhichOneof("record_type") == "history":
                items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
                yield {key: json.loads(value) for key, value in items.items() if not key.startswith("_")}


def test_weights_and_biases_holds_a_run_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "online")  # the run's own setting wins
    run = make_run(tmp_path / "run", "track.to=wandb")
    assert main([str(run)]) == 0
    [file] = (run / "tracking" / "wandb").glob("offline-run-*/*.wandb")
    assert list(wandb_history(file)) == [
        {"step": 0, "eval/build": 0.5},
        {"step": 1, "reward/mean": 0.25},
        {"step": 2, "reward/mean": 0.5},
        {"step": 3, "reward/mean": 0.75},
        {"step": 3, "eval/build": 0.5},
    ]
    assert Sent.load(run, "wandb", "offline grpo-rust").memory["id"] in file.name


def test_trackio_holds_a_run_on_this_machine(tmp_path: Path) -> None:
    """In a process of its own: trackio reads the folder of its databases once."""
    pytest.importorskip("trackio")
    run = make_run(tmp_path / "run", "track.to=trackio")
    program = (
        f"from grpo_rust.following.__main__ import main; assert main([{str(run)!r}]) == 0\n"
        "from trackio.sqlite_storage import SQLiteStorage; import json\n"
        "print(json.dumps(SQLiteStorage.get_logs('grpo-rust', 'mine')))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TRACKIO_DIR"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "scripts"), environment.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout.strip().splitlines()[-1])
    assert [(row["step"], row["reward/mean"]) for row in rows if "reward/mean" in row] == [
        (1, 0.25),
        (2, 0.5),
        (3, 0.75),
    ]
    assert [(row["step"], row["eval/build"]) for row in rows if "eval/build" in row] == [(0, 0.5), (3, 0.5)]
    assert list((run / "tracking" / "trackio").glob("*.db"))


def test_what_trackio_cannot_write_is_told_once(tmp_path: Path) -> None:
    """Its folder is replaced by a file while the run is open: trackio's own thread fails, and no call raises."""
    pytest.importorskip("trackio")
    run = make_run(tmp_path / "run", "track.to=trackio")
    program = (
        "import shutil, sys, json; from pathlib import Path\n"
        "from grpo_rust.following.trackers import TrackedRun\n"
        "from grpo_rust.following.to_trackio import open_run\n"
        f"said, run = [], Path({str(run)!r})\n"
        "opened = open_run(TrackedRun(run, 'mine', 'p', online=False), {}, said.append)\n"
        "place = run / 'tracking' / 'trackio'; place.parent.mkdir(exist_ok=True); shutil.rmtree(place, True)\n"
        "place.write_text('in the way')\n"
        "opened.metrics(1, {'reward/mean': 1.0}); opened.metrics(2, {'reward/mean': 1.0})\n"
        "opened.close(); print(json.dumps(said))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TRACKIO_DIR"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "scripts"), environment.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("[" + '"')]  # trackio prints at its end too
    [message] = json.loads(line)
    assert message.startswith("trackio failed to flush") and "tracking.log" in message


def test_trouble_in_the_log_of_weights_and_biases_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "debug-internal.log"
    errors = ErrorLog(path, said.append)
    errors.look()
    again = '{"level":"INFO","msg":"api: retrying HTTP error","status":500}\n'  # as wandb 0.31 writes it
    with open(path, "a") as log_file:
        for text, count in (
            (again * 2 + '{"level":"ERR', 0),
            ('OR","msg":"api: gives up","error":"refused"}\n' * 2, 1),
        ):
            log_file.write(text)
            log_file.flush()
            errors.look()
            assert len(said) == count
    assert said[0].startswith("wandb has trouble with its server or its files (api: gives up, refused)")
    path.write_text(again * 3)
    ErrorLog(path, said.append).look()
    assert len(said) == 2 and "(api: retrying HTTP error, 500)" in said[1] and str(path) in said[1]


@pytest.mark.slow
def test_a_server_of_weights_and_biases_that_is_broken_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("wandb")

    class Broken(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_error(500)

        do_GET = do_POST

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
        monkeypatch.setenv("WANDB_INIT_TIMEOUT", "4")
        run = make_run(tmp_path / "run", "track.to=wandb", "track.mode=online")
        assert main([str(run)]) == 3
        server.shutdown()
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("wandb")]
    assert len(said) == 1 and "wandb does not take the metrics" in said[0] and "sends the rest" in said[0]


@pytest.mark.slow
def test_mlflow_holds_a_run_in_a_file_and_goes_on_with_it(tmp_path: Path) -> None:
    for package in ("mlflow", "sqlalchemy", "alembic"):
        pytest.importorskip(package)
    from mlflow.tracking import MlflowClient

    run = make_run(tmp_path / "run", "track.to=mlflow")
    assert main([str(run)]) == 0
    log(run, STEPS, step(4, **{"reward/my/file.py:mine": 1.0}))
    assert main([str(run)]) == 0
    client = MlflowClient(tracking_uri=f"sqlite:///{run / 'tracking' / 'mlflow.db'}")
    [experiment] = [one for one in client.search_experiments() if one.name == "grpo-rust"]
    [only] = client.search_runs([experiment.experiment_id])
    assert (only.info.run_name, only.info.status, only.data.params["train.lr"]) == ("mine", "FINISHED", "0.0003")
    history = client.get_metric_history(only.info.run_id, "reward/mean")
    assert [(one.step, one.value) for one in history] == [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)]
    assert only.data.metrics["reward/my/file.py:mine"] == 1.0
