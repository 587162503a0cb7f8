"""Log lines."""

from __future__ import annotations

import io
import json
import logging

import pytest

from keepfit.stages.serving.logs import MOST_A_SECOND, Handler, Log

from .world import NOW


def lines(log: Log, stream: io.StringIO) -> list[str]:
    log.flush()
    return stream.getvalue().splitlines()


def test_a_request_is_a_line_of_json():
    stream = io.StringIO()
    log = Log("json", stream, lambda: NOW + 5)
    log.request(404, {"path": "/predict", "ms": 0.4})
    (line,) = lines(log, stream)
    assert json.loads(line) == {
        "time": "2025-06-01T00:00:00.000005Z", "level": "warning", "message": "request", "path": "/predict", "ms": 0.4,
    }  # fmt: skip


def test_what_a_client_sent_cannot_begin_a_line():
    stream = io.StringIO()
    log = Log("text", stream, lambda: NOW)
    log.request(200, {"path": "/a\n2025-06-01 error forged", "ms": 0.4})
    (line,) = lines(log, stream)
    assert line == r'2025-06-01T00:00:00.000000Z info request path="/a\n2025-06-01 error forged" ms=0.4'


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.25, 25), (1.0, 100)])
def test_of_good_answers_a_share_is_logged(share, expected):
    log = Log("json", io.StringIO(), lambda: NOW, share)
    assert sum(log.wants(200) for _ in range(100)) == expected
    assert log.wants(503) and log.wants(404)


def test_off_logs_no_request():
    assert not Log("off", io.StringIO(), lambda: NOW).wants(500)


def test_a_flood_of_refusals_is_cut_and_counted():
    stream, now = io.StringIO(), [NOW]
    log = Log("text", stream, lambda: now[0])
    assert sum(log.wants(503) for _ in range(500)) == MOST_A_SECOND
    now[0] += 1_000_000
    assert log.wants(503)
    assert "400 answers above 399 were not logged" in lines(log, stream)[0].replace('"', "")


def test_what_modules_log_comes_with_its_exception():
    stream = io.StringIO()
    log = Log("json", stream, lambda: NOW)
    logger = logging.Logger("keepfit.serving.test")
    logger.addHandler(Handler(log))
    try:
        raise ValueError("deep down")
    except ValueError:
        logger.exception("request %s failed", "abc")
    (line,) = lines(log, stream)
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("error", "request abc failed")
    assert "ValueError: deep down" in said["exception"]
