"""The HTTP API (lambdas/search) behind a real server: large bodies, and health during searches."""

from __future__ import annotations

import json
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lens.models.manifest import HeadInfo, write_model
from tests.lambdas.conftest import MakeShop, Shop
from tests.lambdas.serving import served, visitor
from tests.support.tiny_model import DIM, PREPROCESSING, SIDE, png

URL = "/api/search-image"


def heavy_graph(rounds: int = 40, width: int = 1200) -> bytes:
    """The tiny model's shapes, but `rounds` products of large matrices on the way."""
    rng = np.random.default_rng(0)
    pixels = 3 * SIDE * SIDE
    weights = {
        "widen": rng.standard_normal((pixels, width)) / pixels,
        "mix": rng.standard_normal((width, width)) / np.sqrt(width),
        "narrow": rng.standard_normal((width, DIM)),
    }
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["column"], perm=[1, 0]),
        helper.make_node("MatMul", ["column", "flat"], ["square"]),
        helper.make_node("MatMul", ["square", "widen"], ["mixed0"]),
        *(
            helper.make_node("MatMul", [f"mixed{i}", "mix"], [f"mixed{i + 1}"])
            for i in range(rounds)
        ),
        helper.make_node("ReduceMean", [f"mixed{rounds}"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("MatMul", ["mean", "narrow"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["embedding"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "heavy",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIM])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


@pytest.mark.slow
def test_health_answers_at_once_while_a_heavy_model_searches(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.put("a/1.png", png(1))
    manifest = write_model(
        shop.pipeline.artifacts,
        heavy_graph(),
        backbone="heavy",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
    )
    shop.open(manifest.model_id)
    shop.searcher.refresh()

    def search(seed: int) -> tuple[int, float]:
        since = time.perf_counter()
        reply = client.post(URL, files={"file": png(seed)})
        return reply.status_code, time.perf_counter() - since

    with served(shop) as address, visitor(address) as client, ThreadPoolExecutor(8) as shoppers:
        client.get("/api/health")
        searches = [shoppers.submit(search, seed) for seed in range(100, 116)]
        waits = []
        while not all(each.done() for each in searches):
            since = time.perf_counter()
            assert client.get("/api/health").status_code == 200
            waits.append(time.perf_counter() - since)
            time.sleep(0.01)
    assert all(each.result()[0] == 200 for each in searches)
    heavy = statistics.median(each.result()[1] for each in searches)
    assert heavy > 0.2, "the model is too light to prove anything"
    assert len(waits) > 20
    assert statistics.median(waits) < 0.1
    assert statistics.quantiles(waits, n=10)[-1] < 0.5  # of ten, nine; two noisy cores


def test_concurrent_searches_answer_each_its_own_photo(shop: Shop) -> None:
    def first(seed: int) -> float:
        reply = client.post(URL, files={"file": png(seed)})
        similarity: float = reply.json()["hits"][0]["similarity"]
        return similarity

    with served(shop) as address, visitor(address) as client, ThreadPoolExecutor(8) as shoppers:
        assert min(shoppers.map(first, [1 + i % 6 for i in range(48)])) > 0.9999


def _reply(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the reply that comes next."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answer: dict[str, Any] = json.loads(stream.read(length))
    stream.close()
    return status, answer


HEAD = (
    b"POST /api/search-image HTTP/1.1\r\nHost: shop\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n"
)
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'


def test_an_announced_body_over_the_limit_is_refused_before_a_byte_of_it_is_sent(
    shop: Shop,
) -> None:
    with served(shop) as address, socket.create_connection(address, timeout=20) as connection:
        connection.sendall(HEAD + b"Content-Length: 10000000000\r\nExpect: 100-continue\r\n\r\n")
        status, answer = _reply(connection)
    assert status == 413
    assert answer["error"]["code"] == "too_many_bytes"
    assert "21.0 MB" in answer["error"]["message"]
    assert len(shop.keys(png(1))) == 6


def test_an_endless_body_is_refused_as_soon_as_it_passes_the_limit(make_shop: MakeShop) -> None:
    shop = make_shop(max_photo_bytes=200_000)
    piece = bytes(50_000)
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    with served(shop) as address, socket.create_connection(address, timeout=20) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n" % (len(PART), PART))
        for _ in range(6):  # 300 kB: over 200 kB and what multipart may add
            connection.sendall(chunk)
        status, answer = _reply(connection)
    assert status == 413
    assert answer["error"]["code"] == "too_many_bytes"


def test_a_caller_who_hangs_up_in_the_middle_breaks_nothing(shop: Shop) -> None:
    with served(shop) as address:
        for _ in range(3):
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + PART + bytes(1000))
        with visitor(address) as client:
            assert client.post(URL, files={"file": png(1)}).status_code == 200
