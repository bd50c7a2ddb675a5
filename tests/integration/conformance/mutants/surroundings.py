"""Mistakes with what is around a runtime: variables, files, processes, the image it lies in."""

from __future__ import annotations

from collections.abc import Mapping

MUTATIONS: Mapping[str, str] = {
    "EV-04": "overwrites-variables",
    "EV-06": "time-zone-of-its-own",
    "EV-08": "children-without-region",
    "FS-08": "path-without-layers",
    "FS-11": "starts-200-threads",
    "FS-13": "uses-shared-memory",
    "FS-14": "listens-on-9001",
    "IM-10": "differs-by-start",
}

_OTHER_FIRST = "RUN sed -i '2i [ -x /var/task/bootstrap ] && exec /var/task/bootstrap' /lambda-entrypoint.sh"

IMAGES: Mapping[str, str] = {
    "FS-03": "RUN mkdir -p /opt/private && chmod 0750 /opt/private",
    "FS-04": _OTHER_FIRST,
    "IM-11": "RUN sed -i 's/200, answers.get()/200, b\"null\"/' /usr/local/bin/aws-lambda-rie",
}
