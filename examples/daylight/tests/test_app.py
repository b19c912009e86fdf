import unittest
from unittest import mock
from xml.etree import ElementTree

from app import Api
from componentize_py_types import Err
from wit_world.exports import api


def draw(latitude, longitude, year=2026, title=None, offset=None):
    return Api().draw(latitude, longitude, year, api.Options(title=title, utc_offset=offset))


class Draw(unittest.TestCase):
    def near(self, one, other):
        """Within two minutes."""
        self.assertAlmostEqual(one, other, delta=2 / 60)

    def test_what_almanacs_print(self):
        # 3:14 and 20:01 on the 21st of June, 7:43 and 15:25 on the 21st of December.
        warsaw = draw(52.23, 21.01, offset=1)
        self.assertEqual((warsaw.longest.date, warsaw.shortest.date), ("2026-06-21", "2026-12-21"))
        self.near(warsaw.longest.sunrise, 3 + 14 / 60)
        self.near(warsaw.longest.sunset, 20 + 1 / 60)
        self.near(warsaw.shortest.sunrise, 7 + 43 / 60)
        self.near(warsaw.shortest.sunset, 15 + 25 / 60)

    def test_the_equator_has_twelve_hours_and_some_minutes(self):
        quito = draw(0, -78.5)
        self.assertLess(quito.longest.length - quito.shortest.length, 0.1)
        self.near(quito.shortest.length, 12 + 7 / 60)

    def test_south_of_the_equator_winter_is_in_june(self):
        self.assertEqual(draw(-33.87, 151.21).shortest.date[:7], "2026-06")

    def test_polar_day_and_night(self):
        tromso = draw(69.65, 18.96)
        self.assertEqual((tromso.longest.sunrise, tromso.longest.length, tromso.shortest.length), (None, 24, 0))
        self.assertTrue(60 <= tromso.days_without_night <= 75 and 45 <= tromso.days_without_sun <= 60)

    def test_the_drawing_is_xml_whatever_the_title_says(self):
        svg = draw(10, 10, title='<script>"&\x00\u202e').svg
        self.assertIn("<script>", "".join(ElementTree.fromstring(svg).itertext()))
        self.assertNotIn("\u202e", svg)

    def test_leap_years_have_a_day_more(self):
        self.assertEqual(draw(0, 0, year=2024).svg.count("z") - draw(0, 0, year=2025).svg.count("z"), 4)

    def test_what_is_refused(self):
        for given, error in [
            ((90.1, 0), api.DaylightError_NoSuchPlace()),
            ((0, float("nan")), api.DaylightError_NoSuchPlace()),
            ((0, 0, 2100), api.DaylightError_YearNotAllowed()),
            ((0, 0, 2026, None, -14.5), api.DaylightError_OffsetNotAllowed()),
        ]:
            with self.assertRaises(Err) as raised:
                draw(*given)
            self.assertEqual(raised.exception.value, error)

    def test_a_mistake_comes_back_with_its_traceback(self):
        with mock.patch("drawing.year", side_effect=ZeroDivisionError("of nothing")), self.assertRaises(Err) as raised:
            draw(0, 0)
        self.assertIn("ZeroDivisionError: of nothing", raised.exception.value.value)


if __name__ == "__main__":
    unittest.main()
