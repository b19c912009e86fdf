"""A skill. What it offers stands in `wit/skill.wit`; the types in `wit_world` are made from it when it is built."""

from componentize_py_types import Err
from skillhall import traced
from wit_world.exports import api


class Api:
    @traced(api.CountError_Failed)
    def count(self, text):
        if not text:
            raise Err(api.CountError_Empty())
        words = text.split()
        return api.Counts(
            words=len(words),
            lines=len(text.splitlines()),
            characters=len(text),
            longest=max(reversed(words), key=len, default=None),
        )
