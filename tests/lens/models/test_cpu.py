"""The CPU: its kind and its dot products, read from what systems say of it."""

from __future__ import annotations

import pytest

from lens.models.cpu import INT8_DOT_PRODUCTS, cpu_features, cpu_kind, features_of, kind_of

DOT_PRODUCTS = frozenset({INT8_DOT_PRODUCTS})


def cpuinfo(flags: str, model: int = 1) -> str:
    one = (
        "processor\t: {}\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {}\n"
        "model name\t: AMD EPYC\nflags\t\t: fpu sse2 {}\nbugs\t\t: some\n\n"
    )
    return "".join(one.format(processor, model, flags) for processor in range(2))


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("avx2 avx512f avx512_vnni", DOT_PRODUCTS),
        ("avx2 avx_vnni", DOT_PRODUCTS),
        ("avx2", frozenset()),
        ("avx2 avx512f avx512_bf16", frozenset()),
    ],
)
def test_dot_products_are_told_by_the_flags(flags: str, found: frozenset[str]) -> None:
    assert features_of(cpuinfo(flags)) == found


def test_arm_s_dot_products_count_and_what_is_not_known_does_not() -> None:
    assert features_of("Features\t: fp asimd aes asimdhp asimddp\n") == DOT_PRODUCTS
    assert features_of("Features\t: fp asimd aes\n") == frozenset()
    assert features_of("") == frozenset()
    assert cpu_features() <= DOT_PRODUCTS


def test_cpus_of_one_name_are_told_apart_by_what_they_are() -> None:
    """A hypervisor calls every EPYC by that name."""
    here = kind_of(cpuinfo("fma avx2"))
    assert here == "AMD EPYC, family 25, model 1, avx2"
    assert kind_of(cpuinfo("avx2 fma more")) == here
    assert kind_of(cpuinfo("avx2 avx512f avx512_vnni")) != here
    assert kind_of(cpuinfo("avx2", model=17)) != here
    graviton = (
        "BogoMIPS\t: 243.75\nFeatures\t: fp asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"
    )
    assert kind_of(graviton).endswith(", implementer 0x41, part 0xd40, asimddp")


def test_this_machine_has_a_kind() -> None:
    assert cpu_kind() and cpu_kind() == cpu_kind().strip()
