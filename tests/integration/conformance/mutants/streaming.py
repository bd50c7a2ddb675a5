"""For every case of streaming a mistake that it has to find; most are made in tests/miniatures/streaming.py."""

from __future__ import annotations

from collections.abc import Mapping

MUTATIONS: Mapping[str, str] = {
    "ST-01": "mode-in-capitals",
    "ST-02": "stream-sized",
    "ST-03": "stream-collected",
    "ST-04": "stream-head-first",
    "ST-05": "trailers-unannounced",
    "ST-06": "trailers-in-a-chunk",
    "ST-07": "trailer-in-lines",
    "ST-09": "connection-kept-after-stream",
    "ST-10": "stream-type-fixed",
    "ST-11": "prelude-as-json",
    "ST-12": "prelude-raw-nul",
    "ST-13": "delimiter-after-every-write",
    "ST-14": "empty-stream-as-null",
    "ST-15": "nuls-dropped",
    "ST-16": "stream-of-6-mb",
    "ST-17": "stream-read-ahead",
    "ST-18": "next-before-stream-ends",
    "ST-19": "dropped-stream-hangs",
    "ST-20": "mode-kept-after-stream",
    "ST-21": "large-as-stream",
}
IMAGES: Mapping[str, str] = {}
DESCRIPTIONS: Mapping[str, dict[str, object]] = {}
