"""User errors: each gives one line that says what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.aws import interpreters as module
from tests.aws.emulator import ACCOUNT
from tests.aws.interpreters import NoPythonError, interpreters
from tests.aws.shop import Shop
from tests.aws.turns import ROOT


@pytest.mark.aws
@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("removal", "delete", "'retain' or 'destroy'"),
        ("embed_timout", "60", "did you mean embed_timeout?"),
        ("search_memory", "12", "search_memory"),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_where_to_change_it(
    shop: Shop, name: str, value: str, advice: str
) -> None:
    done = shop.deployment.cdk("synth", "--quiet", **{name: value})
    told = [line for line in done.stdout.splitlines() if line.startswith("cdk: ")]
    assert done.returncode != 0
    assert len(told) == 1 and name in told[0] and advice in told[0], done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.aws
def test_an_account_without_bootstrap_is_told_the_command(shop: Shop) -> None:
    """In another region of the same account."""
    packed = ["-c", f"training_bundle={shop.deployment.context['training_bundle']}"]
    other = "eu-central-1"
    done = subprocess.run(
        [sys.executable, "-m", "cdk.preflight", "-c", "image=image-lens:emulator", *packed],
        cwd=ROOT,
        env={**shop.deployment.environment, "AWS_REGION": other, "AWS_DEFAULT_REGION": other},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [told] = (done.stdout + done.stderr).strip().splitlines()
    assert f"cdk bootstrap aws://{ACCOUNT}/{other}" in told


@pytest.mark.aws
def test_a_stack_that_is_not_there_is_told_in_one_line(shop: Shop) -> None:
    told = shop.lens("status", "--stack", "Nowhere", status=2)
    assert len(told.strip().splitlines()) == 1
    assert "Nowhere" in told


def test_a_named_python_that_is_none_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_AWS", "/nowhere/python")
    with pytest.raises(NoPythonError, match="PYTHON_AWS=/path/to/python") as told:
        interpreters()
    assert "\n" not in str(told.value)


def test_no_python_at_all_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_AWS", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYENV_ROOT", "/nowhere")
    with pytest.raises(NoPythonError, match=module.WANTED[0]):
        interpreters()
