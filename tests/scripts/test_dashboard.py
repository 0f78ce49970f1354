"""scripts/dashboard.py: errors in words, nothing beyond this machine, and the page, clicked through in a browser.

The browser tests need marimo, playwright and a Chromium, and are skipped where one is missing. They start from written
runs; one grows while it is looked at, and one is full of attacks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dashboard
from dashboard import HOST, free_port, main, marimo_words, newest_run
from dashboard_app.asking.trying import ModelProcess, words_of
from dashboard_app.completion_index import Wanted
from dashboard_app.live_run import LiveRun
from grpo.errors import HostFailed
from grpo.run.directory import truncate_log
from synthetic_run import write_run
from test_report_page import BROWSER, hostile_run

ROOT = Path(__file__).resolve().parents[2]
STARTED_S = 120
SHOWN_MS = 60_000.0
LIVE_MS = 20_000.0
WIDE, NARROW = {"width": 1400, "height": 1000}, {"width": 430, "height": 900}
TABS = ("Time and money", "Other metrics", "Completions", "Groups", "Mistakes", "Try a prompt", "Learning")


# The command


def test_help_and_what_is_no_run_are_answered_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0 and "127.0.0.1" in capsys.readouterr().out
    assert main([str(tmp_path / "none")]) == 2
    assert "none is not a directory: give the run directory" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        main([str(tmp_path), "--port", "70000"])
    assert refused.value.code == 2 and "70000 is no port" in capsys.readouterr().err


def test_without_marimo_the_extra_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard.importlib.util, "find_spec", lambda name: None)
    assert main([str(write_run(tmp_path / "run", steps=1))]) == 3
    assert "marimo is not installed: .venv/bin/python -m pip install '.[dashboard]'" in capsys.readouterr().err


def test_without_a_run_it_is_the_newest_below_runs(tmp_path: Path) -> None:
    assert newest_run(tmp_path) == []
    for age, name in enumerate(("old", "new", "older")):
        write_run(tmp_path / name, steps=1)
        os.utime(tmp_path / name / "config.toml", (1e9 + (age == 1), 1e9 + (age == 1)))
    assert newest_run(tmp_path) == [tmp_path / "new"]


def test_marimo_listens_on_this_machine_alone_with_a_token_on_a_free_port() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HostFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            free_port(port)
        assert free_port(0) not in (0, port)
    words = marimo_words(1234, headless=True, runs=[Path("/a b"), Path("/--host")])
    assert words[words.index("--host") + 1] == "127.0.0.1" and words[words.index("--port") + 1] == "1234"
    assert "--token" in words and "--no-token" not in words and words[words.index("--") :] == ["--", "/a b", "/--host"]


@pytest.mark.slow
def test_a_checkpoint_answers_a_prompt_with_a_verdict_and_reasons(tmp_path: Path) -> None:
    """The shipped model in a process of its own, as the dashboard asks a run's checkpoint."""
    asked = ModelProcess()
    settings = ["sampling.max_completion_tokens=64", "train.threads=1", "train.device=cpu"]
    try:
        model, *others = words_of(tmp_path, ROOT / "assets" / "tiny-rust")
        prompt = "Write a Rust function `fn twice(a: i32) -> i32` that doubles `a`. With tests."
        (answer,) = asked.ask([model, *others, *settings], prompt, samples=1, temperature=0.0)
    finally:
        asked.close()
    assert answer["prompt"] == prompt and answer["text"].startswith("```rust")
    assert set(answer["rewards"]) == set(answer["reasons"]) and answer["reasons"]["code_block"]
    assert json.dumps(answer["verdict"])


# The page


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run that will grow, one full of attacks, with room for money."""
    folder = tmp_path_factory.mktemp("dashboard")
    live = write_run(folder / "live", steps=4, group_size=8)
    (live / "summary.json").unlink()
    config = (live / "config.toml").read_text()
    money = config.replace("[train]\n", "[train]\nusd_per_hour = 36.0\nmax_steps = 10\n")
    (live / "config.toml").write_text(money)
    (live / "progress.json").write_text('{"step": 4, "num_steps": 10}\n')
    return {"live": live, "hostile": hostile_run(folder / "hostile")}


@pytest.fixture(scope="module")
def address(runs: dict[str, Path]) -> Iterator[str]:
    """The address of a dashboard of both runs."""
    pytest.importorskip("marimo")
    if BROWSER is None:
        pytest.skip("no Chromium here")
    pytest.importorskip("playwright.sync_api")
    command = [sys.executable, str(ROOT / "scripts" / "dashboard.py"), *map(str, runs.values()), "--headless"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+\?access_token=\S+", process.stdout.readline())
            assert found is not None
            wait_until_it_listens(int(found[0].split(":")[2].partition("?")[0]))
            yield found[0]
        finally:
            process.terminate()
            process.wait(30)


def wait_until_it_listens(port: int) -> None:
    import time

    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens on {port} after {STARTED_S} s")


class Browser:
    """A page in Chromium, and what it asked for and complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.beyond: list[str] = []
        self.errors: list[str] = []
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(SHOWN_MS)

    def _request(self, request: Any) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1:|data:|blob:", request.url):
            self.beyond.append(request.url)

    def open(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab).click()

    def see(self, text: str, timeout: float = SHOWN_MS) -> None:
        self.page.locator(".gr", has_text=text).first.wait_for(timeout=timeout)

    def is_whole(self) -> bool:
        """Whether nothing makes the page wider than its window."""
        return bool(self.page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth + 1"))

    def picture(self, name: str) -> None:
        """Keep a picture where `DASHBOARD_PICTURES` names a folder, for people to look at."""
        if folder := os.environ.get("DASHBOARD_PICTURES"):
            self.page.screenshot(path=f"{folder}/{name}.png")


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Browser]:
    """The dashboard in a browser, wide and light."""
    from importlib import import_module

    with import_module("playwright.sync_api").sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = chromium.new_page(viewport=WIDE, color_scheme="light")
        found = Browser(page)
        page.goto(address)
        found.see("finished")
        yield found
        chromium.close()


@pytest.mark.slow
def test_every_tab_is_whole_at_two_sizes_in_light_and_dark(browser: Browser) -> None:
    shown = {
        "Learning": "check/build",
        "Time and money": "cost so far",
        "Other metrics": "entropy",
        "Completions": "completions match",
        "Groups": "pass strictly",
        "Mistakes": "errors a completion",
        "Try a prompt": "No model is loaded",
    }
    colours = set()
    for scheme, size in (("light", WIDE), ("dark", NARROW), ("light", NARROW), ("dark", WIDE)):
        browser.page.emulate_media(color_scheme=scheme)
        browser.page.set_viewport_size(size)
        for tab in TABS:
            browser.open(tab)
            browser.see(shown[tab])
            browser.page.wait_for_timeout(300)
            assert browser.is_whole(), (tab, scheme, size)
            browser.picture(f"{tab.split()[0]}-{scheme}-{size['width']}")
        ink = browser.page.locator(".gr").last.evaluate("element => getComputedStyle(element).color")
        colours.add((scheme, ink))
    assert len(colours) == 2
    browser.page.emulate_media(color_scheme="light")
    browser.page.set_viewport_size(WIDE)


@pytest.mark.slow
def test_completions_are_found_chosen_and_shown_with_errors_and_reasons(
    browser: Browser, runs: dict[str, Path]
) -> None:
    browser.open("Completions")
    browser.see("96 completions match")
    run = LiveRun(runs["live"])
    run.poll()
    browser.page.get_by_placeholder("E0308").fill("E0308")
    browser.see(f"{run.index.count(Wanted('train', code='E0308'))} completions match")
    browser.page.locator("tbody tr", has_text="build error").first.wait_for()
    assert browser.page.locator("tbody tr", has_text="passed").count() == 0
    browser.page.locator("tbody tr", has_text="build error").first.locator("[role=checkbox]").click()
    browser.page.locator(".gr .completion .note.error", has_text="E0308 mismatched types").wait_for()
    assert browser.page.locator(".gr .completion .hk", has_text="fn").count() >= 1
    assert "line 1: mismatched types" in browser.page.locator(".gr .rewards").inner_text()
    browser.picture("completion")
    browser.page.get_by_placeholder("E0308").fill("")
    browser.page.get_by_placeholder("a part of its id").fill("no such task")
    browser.see("No completion matches.")
    browser.page.get_by_placeholder("a part of its id").fill("")
    browser.see("96 completions match")


@pytest.mark.slow
def test_hostile_text_stays_text_in_tables_menus_cards_and_charts(browser: Browser) -> None:
    before = browser.page.title()
    browser.open("Completions")
    browser.page.locator("select").filter(has_text="hostile").first.select_option("hostile")
    browser.see("36 completions match")
    browser.page.locator("tbody tr [role=checkbox]").first.click()
    browser.page.locator(".gr .completion .listing", has_text="<script>document.title='ran'</script>").wait_for()
    for tab in ("Groups", "Mistakes", "Other metrics", "Learning"):
        browser.open(tab)
        browser.page.wait_for_timeout(1_500)
        assert browser.page.locator(".gr script, .gr img, .gr iframe, .gr a, [onerror]").count() == 0
    assert browser.page.title() == before
    browser.open("Completions")
    browser.page.locator("select").filter(has_text="hostile").first.select_option("live")
    assert browser.errors == [] and browser.beyond == []


@pytest.mark.slow
def test_new_steps_appear_within_seconds_and_a_resume_is_followed(browser: Browser, runs: dict[str, Path]) -> None:
    browser.open("Completions")
    browser.see("step 4 of 10")
    lines = [json.loads(line) for line in (runs["live"] / "completions.jsonl").read_text().splitlines()]
    new = [line | {"step": 5, "id": line["id"].replace("s4-", "s5-")} for line in lines if line["id"].startswith("s4-")]
    with open(runs["live"] / "completions.jsonl", "a", encoding="utf-8") as log:
        log.write("".join(json.dumps(line) + "\n" for line in new))
    with open(runs["live"] / "metrics.jsonl", "a", encoding="utf-8") as log:
        log.write('{"step": 5, "reward/mean": 4.25, "time/step": 9.0}\n')
    browser.see("step 5 of 10 · reward 4.25", timeout=LIVE_MS)
    browser.see("120 completions match", timeout=LIVE_MS)
    for name in ("metrics.jsonl", "completions.jsonl", "evals.jsonl"):
        truncate_log(runs["live"] / name, 2)
    browser.see("step 2 of 10", timeout=LIVE_MS)
    browser.see("48 completions match", timeout=LIVE_MS)
    browser.open("Learning")
    slider = browser.page.get_by_role("slider").first
    slider.focus()
    slider.press("End")
    browser.see("mean over the last 200 steps")


@pytest.mark.slow
def test_a_stranger_without_the_token_sees_nothing(address: str) -> None:
    bare, _, token = address.partition("?access_token=")
    page = urllib.request.urlopen(bare, timeout=30)  # a form that asks for the token
    assert "auth/login" in page.url and len(token) > 20
    for path in ("/api/status", "/ws?session_id=x"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(bare + path, timeout=30)
    port = int(bare.rpartition(":")[2])
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = re.findall(rf"^ *\d+: ([0-9A-F]+):{port:04X} [0-9A-F]+:0000 0A", table, re.MULTILINE)
    assert listening == ["0100007F"]  # 127.0.0.1
    assert (
        shutil.which("ps") is None or token not in subprocess.run(["ps", "axww"], capture_output=True).stdout.decode()
    )
