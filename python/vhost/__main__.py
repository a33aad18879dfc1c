"""`python -m vhost`: paths and flags for build scripts."""

from __future__ import annotations

import argparse

from vhost import library


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vhost", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--library", action="store_true", help="the shared library")
    what.add_argument("--ldflags", action="store_true", help="flags that link a simulation with it")
    what.add_argument("--include", action="store_true", help="the folder of the C headers")
    what.add_argument(
        "--shim",
        choices=("async", "cocotb"),
        help="the folder of the module pymb_rpc, for PYTHONPATH",
    )
    what.add_argument(
        "--build", metavar="CHECKOUT", help="build the library from a checkout of the project"
    )
    given = parser.parse_args()
    if given.library:
        print(library.find())
    elif given.ldflags:
        print(*library.link_flags())
    elif given.include:
        print(library.include())
    elif given.shim:
        print(library.shim(given.shim))
    else:
        print(library.build(given.build))


if __name__ == "__main__":
    main()
