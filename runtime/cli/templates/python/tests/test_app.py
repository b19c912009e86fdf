import unittest
from unittest import mock

from app import Api
from componentize_py_types import Err
from wit_world.exports import api


class Count(unittest.TestCase):
    def test_words_lines_and_characters_are_counted(self):
        counts = Api().count("one three\ntwo\n")
        self.assertEqual(counts, api.Counts(words=3, lines=2, characters=14, longest="three"))

    def test_an_empty_text_is_an_error(self):
        with self.assertRaises(Err) as raised:
            Api().count("")
        self.assertEqual(raised.exception.value, api.CountError_Empty())

    def test_an_exception_comes_back_with_its_traceback(self):
        with mock.patch.object(api, "Counts", side_effect=ZeroDivisionError("of nothing")), self.assertRaises(Err) as raised:
            Api().count("one")
        self.assertIn("ZeroDivisionError: of nothing", raised.exception.value.value)
        self.assertIn("in count", raised.exception.value.value)


if __name__ == "__main__":
    unittest.main()
