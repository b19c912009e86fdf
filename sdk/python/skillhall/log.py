"""One line to stderr for each message, which the host keeps with the receipt of the call, up to a bound.

A line break inside of a message is escaped, so that one message is one line.
"""

import sys


def error(message):
    """The skill cannot do what it was asked."""
    _write("error", message)


def warn(message):
    """The skill goes on, but the caller should know."""
    _write("warn", message)


def info(message):
    """What the skill did."""
    _write("info", message)


def debug(message):
    """For the author."""
    _write("debug", message)


def _write(level, message):
    text = str(message).replace("\r", "\\r").replace("\n", "\\n")
    print(f"{level}: {text}", file=sys.stderr, flush=True)
