"""Where the sun stands: the low-accuracy formulas of the Astronomical Almanac (section C), good to a minute of time from 1901 to 2099
away from the poles."""

from datetime import date, timedelta
from math import acos, asin, atan2, cos, degrees, radians, sin

# The height of the sun's centre, in degrees: at sunrise, with refraction and half of its disc, and at the end of each twilight.
HORIZON, CIVIL, NAUTICAL, ASTRONOMICAL = -0.833, -6.0, -12.0, -18.0
_NOON_OF_2000 = date(2000, 1, 1)


def position(day):
    """Declination in degrees, and equation of time in hours, at noon of the day in UTC."""
    n = (day - _NOON_OF_2000).days
    longitude = (280.460 + 0.9856474 * n) % 360
    anomaly = radians((357.528 + 0.9856003 * n) % 360)
    ecliptic = radians(longitude + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    obliquity = radians(23.439 - 0.0000004 * n)
    ascension = degrees(atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic)))
    declination = degrees(asin(sin(obliquity) * sin(ecliptic)))
    return declination, ((longitude - ascension + 180) % 360 - 180) / 15


def half(latitude, declination, height):
    """Hours from noon until the sun stands at this height: 0 if it stays below, 12 if it stays above."""
    phi, delta = radians(latitude), radians(declination)
    across = cos(phi) * cos(delta)
    above = sin(radians(height)) - sin(phi) * sin(delta)
    if abs(across) < 1e-9:
        return 0.0 if above > 0 else 12.0
    cosine = above / across
    if cosine >= 1:
        return 0.0
    return 12.0 if cosine <= -1 else degrees(acos(cosine)) / 15


def days(year):
    """Every day of the year."""
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
