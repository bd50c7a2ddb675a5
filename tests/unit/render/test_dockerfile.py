"""Which instruction made which layer."""

from __future__ import annotations

from runtimebuilder.render.dockerfile import layer_steps

DOCKERFILE = """\
# Generated
FROM base AS build
RUN make

FROM base
ENV a=b
RUN one \\
      # in between
      && two \\
      three

copy --from=build /x /y
LABEL z=1
ADD a b
"""


def test_of_the_last_stage_what_makes_a_layer_on_one_line_each() -> None:
    assert layer_steps(DOCKERFILE) == ("RUN one && two three", "copy --from=build /x /y", "ADD a b")
