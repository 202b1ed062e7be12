"""`lens report`: what it prints of a real log, as text and as JSON, and its slips."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from lambdas.local.cli import main
from lambdas.search.search_log import SearchLog, search_log
from lens.search.results import Hit, Results
from lens.settings import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("LENS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def log() -> SearchLog:
    """Three searches and a click, as a server writes them."""
    log = search_log(Settings(search_log="searches.jsonl"))
    hits = tuple(Hit(rank, f"id_{rank}", "k", "p", "c", 0.5) for rank in (1, 2))
    first = log.searched("photo", Results("m", 1, hits, match="same", match_probability=0.9))
    nothing = Results("m", 1, hits, match="none", match_probability=0.2)
    log.searched("photo", nothing, "WOMEN/Dresses")
    log.searched("item", Results("m", 1, ()), "MEN")
    assert first
    log.clicked(first, "id_2", 2)
    return log


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["report", *arguments]) == code
    out, error = capsys.readouterr()
    return error if code else out


def test_the_report_says_what_was_found_and_what_was_not(
    log: SearchLog, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("searches.jsonl").open("a") as file:
        file.write('{"event":"sear\n')
    today = datetime.now(UTC).date().isoformat()
    told = printed(capsys, "searches.jsonl")
    assert told == dedent(
        f"""\
        not counted, because damaged or not a search log's: 1 lines
        3 searches, {today} to {today} (UTC)

                                                        searches   found  clicked
          all                                                  3   33.3%    33.3%
          {today}                                           3   33.3%    33.3%

        how like the first product was                     share
          same                                             33.3%
          none                                             33.3%
          not known (no calibration)                       33.3%

        category asked                                  searches   found  clicked
          (none)                                               1  100.0%   100.0%
          WOMEN/Dresses                                        1    0.0%     0.0%
          MEN                                                  1    0.0%     0.0%

        found nothing, by what was sent and category    searches
          photo, WOMEN/Dresses                                 1
          item, MEN                                            1

        clicks: 1

        most clicked products                             clicks
          id_2                                                 1

        shown among the first five, never clicked          shown
          id_1                                                 2
        """
    )


def test_json_has_the_same(log: SearchLog, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, "searches.jsonl", "--json"))
    assert (told["searches"], told["found"], told["clicked"], told["clicks"]) == (3, 1, 1, 1)
    assert told["click_through"] == 0.3333
    assert list(told["match"]) == ["same", "none", "not_known"]
    assert told["nothing_found"] == [
        {"kind": "photo", "category": "WOMEN/Dresses", "searches": 1},
        {"kind": "item", "category": "MEN", "searches": 1},
    ]
    assert told["most_clicked"] == [{"item_id": "id_2", "clicks": 1, "shown": 2}]
    assert told["never_clicked"] == [{"item_id": "id_1", "shown": 2}]
    assert (told["unreadable"], told["complete"]) == (0, True)


def test_the_log_that_is_set_is_read(
    log: SearchLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENS_SEARCH_LOG", "searches.jsonl")
    assert json.loads(printed(capsys, "--json"))["searches"] == 3


def test_since_leaves_out_earlier_days(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for days in (10, 6, 1):
        log_lines: list[bytes] = []
        SearchLog(log_lines.append).searched("photo", Results("m", 1, ()))
        time = datetime.now(UTC) - timedelta(days=days)
        lines.append(json.dumps({**json.loads(log_lines[0]), "time": time.isoformat()}))
    Path("log").write_text("\n".join(lines))
    counts = [
        json.loads(printed(capsys, "log", "--json", *since))["searches"]
        for since in ([], ["--since", "7"], ["--since", "0.5"])
    ]
    assert counts == [3, 2, 0]
    assert printed(capsys, "log", "--since", "0.5") == "no searches here\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a search log"),
        (["missing"], "cannot read the search log"),
        (["log", "--stack", "S"], "name logs or --stack, not both"),
    ],
)
def test_a_slip_is_one_line_that_says_what_to_do(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = printed(capsys, *arguments, code=2)
    assert told in error and error.count("\n") == 1


def test_a_server_that_prints_its_log_has_none_to_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENS_SEARCH_LOG", "-")
    assert "name a search log" in printed(capsys, code=2)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "1e9", "week"])
def test_days_are_a_number(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "log", "--since", days])
    assert "is not a number of days, like 7 or 0.5" in capsys.readouterr().err
