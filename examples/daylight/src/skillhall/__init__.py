"""What a skill in Python needs beside its own functions.

`traced` hands an exception that nobody expected back as the skill's own error. `log` writes to the receipt of the call. `http`,
`config`, `secrets` and `tools` each need a power: the world in `wit/skill.wit` imports its interface, and `skill.toml` asks for it.

Import at the top of a module, never inside a function: all that is imported is put into the component when it is built, and at a
call there are no files to import from.
"""

import functools
import traceback

from componentize_py_types import Err

# The end of a traceback says what happened.
_LONGEST = 16_000


def traced(error):
    """A decorator: an exception of the function becomes the error that `error` makes of its traceback.

    `raise Err(..)`, which is an answer to the caller, stays what it is.
    """

    def decorate(function):
        @functools.wraps(function)
        def wrapped(*arguments, **named):
            try:
                return function(*arguments, **named)
            except Err:
                raise
            except Exception:
                told = traceback.format_exc()
            raise Err(error(told[-_LONGEST:]))

        return wrapped

    return decorate
