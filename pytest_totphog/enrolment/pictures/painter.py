"""The program that draws an SVG from stdin as a PNG on stdout (resvg draws it).

It is run as a process of its own: what a document asks for may abort resvg, or cost it any time and memory.
"""

from __future__ import annotations

import sys
from contextlib import suppress

__all__ = ["main"]


def main(folder: str, side: int, seconds: int, memory: int) -> None:
    """Draw one document.

    Args:
        folder: where resvg_py is installed.
        side: pixels of the longer side.
        seconds: of the processor's time; this and
        memory: bytes, are limits where the system has such.
    """
    # Windows has no such module, macOS refuses the second limit.
    with suppress(ImportError):
        import resource

        for limit, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
            with suppress(OSError, ValueError):
                resource.setrlimit(limit, (most, most))
    sys.path.append(folder)
    import resvg_py

    picture = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode("utf-8"),
        width=side,
        height=side,
        dpi=96,
        skip_system_fonts=True,
        # No hairlines between modules that touch.
        shape_rendering="crisp_edges",
    )
    sys.stdout.buffer.write(picture)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
