"""The skill: the sun's year at a place. What it offers stands in `wit/skill.wit`."""

from componentize_py_types import Err
from skillhall import traced
from wit_world.exports import api

import drawing
import sun


class Api:
    @traced(api.DaylightError_Failed)
    def draw(self, latitude, longitude, year, options):
        # Comparisons with what is no number are false, so such a place is refused, too.
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise Err(api.DaylightError_NoSuchPlace())
        if not 1901 <= year <= 2099:
            raise Err(api.DaylightError_YearNotAllowed())
        offset = options.utc_offset if options and options.utc_offset is not None else float(round(longitude / 15))
        if not -14 <= offset <= 14:
            raise Err(api.DaylightError_OffsetNotAllowed())
        days = [Day(day, latitude, longitude, offset) for day in sun.days(year)]
        title = options.title if options and options.title is not None else place(latitude, longitude)
        return api.Year(
            longest=max(days, key=lambda day: day.length).told(),
            shortest=min(days, key=lambda day: day.length).told(),
            days_without_night=sum(day.length == 24 for day in days),
            days_without_sun=sum(day.length == 0 for day in days),
            svg=drawing.year(title, f"{year}, UTC{offset:+g}", days),
        )


class Day:
    """One day at a place, in hours of its clock."""

    def __init__(self, day, latitude, longitude, offset):
        declination, equation = sun.position(day)
        self.date = day
        self.noon = (12 - longitude / 15 - equation + offset) % 24
        heights = (sun.HORIZON, sun.CIVIL, sun.NAUTICAL, sun.ASTRONOMICAL)
        # How long before and after noon the sun is above each height.
        self.halves = [sun.half(latitude, declination, height) for height in heights]
        self.length = 2 * self.halves[0]

    def told(self):
        """As the caller gets it, to the minute."""
        rises = 0 < self.length < 24
        return api.Day(
            date=self.date.isoformat(),
            sunrise=round((self.noon - self.halves[0]) % 24, 2) if rises else None,
            sunset=round((self.noon + self.halves[0]) % 24, 2) if rises else None,
            length=round(self.length, 2),
        )


def place(latitude, longitude):
    return f"{abs(latitude):g}° {'N' if latitude >= 0 else 'S'}, {abs(longitude):g}° {'E' if longitude >= 0 else 'W'}"
