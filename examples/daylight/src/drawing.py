"""The year as SVG: dates from left to right, hours from bottom to top. It stands by itself: no script, no font to load, no address."""

from html import escape

WIDTH, HEIGHT, LEFT, TOP, ROOM = 760, 380, 48, 64, 36
NIGHT = "#1b2444"
# From the darkest twilight to day.
BANDS = ["#2f3f74", "#4d66a8", "#8fb0dc", "#ffe9a8"]
NAMES = ["night", "astronomical", "nautical", "civil twilight", "day"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def year(title, subtitle, days):
    width, height = WIDTH - LEFT - 16, HEIGHT - TOP - ROOM
    step = width / len(days)

    def x(index):
        return LEFT + index * step

    def y(hour):
        return TOP + height * (1 - hour / 24)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{text(title)}" font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="17" font-weight="600">{text(title)}</text>',
        f'<text x="{LEFT}" y="43" fill="#666">{text(subtitle)}</text>',
        f'<rect x="{LEFT}" y="{TOP}" width="{width}" height="{height}" fill="{NIGHT}"/>',
    ]
    for band, fill in enumerate(BANDS):
        path = []
        for index, day in enumerate(days):
            # The brightest is drawn last.
            half = day.halves[3 - band]
            for low, high in spans(day.noon - half, day.noon + half):
                path.append(f"M{x(index):.1f} {y(high):.1f}h{step + 0.3:.1f}V{y(low):.1f}h-{step + 0.3:.1f}z")
        if path:
            parts.append(f'<path fill="{fill}" d="{"".join(path)}"/>')
    for hour in range(0, 25, 6):
        parts.append(f'<path d="M{LEFT} {y(hour):.1f}h{width}" stroke="#fff" stroke-opacity=".35"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(hour) + 4:.1f}" text-anchor="end" fill="#444">{hour}:00</text>')
    for index, day in enumerate(days):
        if day.date.day == 1:
            parts.append(f'<text x="{x(index) + 4:.1f}" y="{TOP + height + 16}" fill="#444">{MONTHS[day.date.month - 1]}</text>')
    right = WIDTH - 16
    for name, fill in zip(reversed(NAMES), [*reversed(BANDS), NIGHT]):
        parts.append(f'<text x="{right}" y="43" text-anchor="end" fill="#444">{name}</text>')
        right -= 7 * len(name) + 4
        parts.append(f'<rect x="{right - 12}" y="33" width="12" height="12" fill="{fill}" stroke="#999" stroke-width=".5"/>')
        right -= 24
    return "".join([*parts, "</svg>"])


def spans(low, high):
    """What of these hours lies within the day from 0 to 24, which begins anew at midnight."""
    if high - low >= 24:
        return [(0, 24)]
    if high <= low:
        return []
    low, high = low % 24, high % 24
    return [(low, high)] if low < high else [(0, high), (low, 24)]


def text(value):
    """What XML cannot hold or what turns the direction of text is left out."""
    return escape("".join(sign for sign in value if sign.isprintable())[:200])
