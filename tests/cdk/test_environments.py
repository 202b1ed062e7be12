"""Tests of environments.py: settings in committed files, and what is refused of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cdk.config import Config, ConfigError, config_from
from cdk.environments import FOLDER

ROOT = Path(__file__).parents[2]
COMMITTED = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_environment_is_a_configuration(name: str) -> None:
    config_from({"environment": name})


def test_no_two_environments_are_one_stack() -> None:
    stacks = [config_from({"environment": name}).stack for name in COMMITTED]
    assert {"dev", "staging", "prod"} <= set(COMMITTED)
    assert len(set(stacks)) == len(stacks)


def test_only_production_keeps_what_it_had() -> None:
    kept = {name for name in COMMITTED if config_from({"environment": name}).removal == "retain"}
    assert kept == {"prod"}


def test_the_file_is_above_the_defaults_and_below_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text('{"stack": "Shop", "log_days": 7}')
    config = config_from({"environment": "shop", "log_days": "14", "aws:cdk:x": 1}, tmp_path)
    assert (config.stack, config.log_days) == ("Shop", 14)
    assert config.search_memory == Config().search_memory


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("prodd", "", ["no environments/prodd.json", "did you mean prod?"]),
        ("zzz", "", ["no environments/zzz.json", "there are prod"]),
        ("../prod", "", ["no environments/../prod.json"]),
        ("prod", '{"log_dayz": 7}', ["environments/prod.json: 'log_dayz'", "mean log_days?"]),
        ("prod", '{"log_days": 8}', ["environments/prod.json: log_days=8", "change it there"]),
        ("prod", '{"domain": "a.example"}', ["environments/prod.json and -c: domain and"]),
        ("prod", "{log_days: 7}", ["environments/prod.json is no JSON"]),
        ("prod", "[1]", ["environments/prod.json is to be one object"]),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(
    name: str, text: str, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "prod.json").write_text(text or "{}")
    with pytest.raises(ConfigError) as caught:
        config_from({"environment": name}, tmp_path)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["ENV=prod"], "-m cdk.preflight -c environment=prod"),
        (["ENV=prod", "CONTEXT=-c log_days=7"], "-c environment=prod -c log_days=7"),
        ([], "-m cdk.preflight \n"),
    ],
)
def test_make_names_the_environment_and_not_what_the_shell_calls_so(
    given: list[str], told: str
) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "deploy", *given],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "ENV": "/etc/shinit"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told in done.stdout + "\n"
