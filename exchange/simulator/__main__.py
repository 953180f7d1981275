"""`python -m exchange.simulator`: the simulated exchange in a process without Django, which takes half the memory."""

import argparse
import logging
import os
import sys
from pathlib import Path

from exchange.simulator.program import CannotStart, add_arguments, run


def main() -> None:
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("waitress").setLevel(logging.ERROR)  # it warns of every task that waits for a thread
    parser = argparse.ArgumentParser(
        prog="python -m exchange.simulator",
        description="Run the simulated exchange on this machine, with its state in a file.",
    )
    add_arguments(parser, state=Path("var") / "simulator.json")
    try:
        run(vars(parser.parse_args()), print_line=lambda text: print(text, flush=True))  # noqa: T201
    except CannotStart as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
