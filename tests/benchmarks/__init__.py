"""Benchmarks: what was promised, beside what is measured, project and baselines in the same run.

A benchmark is a module of this package that `__main__.BENCHMARKS` names. It has

    run(quick: bool) -> dict[str, Any]    measure, and return figures that JSON can hold
    table(figures) -> str                 the figures as Markdown, each beside what was predicted

and, where the project stands beside the baselines, also

    rows(figures) -> list[Row]            its lines of the one table that comes first (report.py)

`python -m tests.benchmarks` (`make bench`) runs each in a process of its own, so that one which
fails or hangs costs the others nothing. Measure ratios by interleaved runs (`contender.py`), CPU
time rather than wall time, and take model, photos and gallery from `workload.prepared`.
No test asserts on a time.
"""
