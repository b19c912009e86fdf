//! Which day is a date, and where do an axis of days have its ticks?

/// The days from 1970-01-01 to a date of the form `2026-03-31` or `2026-03`, also with a time of day behind a `T` or a blank, which is left out.
pub(crate) fn days(text: &str) -> Option<i64> {
    let date = text.split(['T', ' ']).next()?;
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2)?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2))?;
    let valid = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
    (parts.next().is_none() && valid).then(|| from_civil(year, month, day))
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn length(year: i64, month: i64) -> i64 {
    from_civil(year + month / 12, month % 12 + 1, 1) - from_civil(year, month, 1)
}

/// Days of the proleptic Gregorian calendar; years are counted from March, so that a leap day ends one.
fn from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day as `31 Mar 2026`.
pub(crate) fn whole(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{day} {} {year}", name(month))
}

fn name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default()
}

/// At most about so many ticks between two days, each with what stands at it.
pub(crate) fn ticks(from: i64, to: i64, most: i64) -> Vec<(i64, String)> {
    let span = (to - from).max(1);
    let most = most.max(2);
    if let Some(step) = [1, 2, 7, 14].into_iter().find(|step| span < 59 && span / step < most) {
        return (0..=span / step)
            .map(|i| {
                let (year, month, day) = civil(from + i * step);
                let label = if i == 0 || (month == 1 && day <= step) {
                    format!("{day} {} {year}", name(month))
                } else {
                    format!("{day} {}", name(month))
                };
                (from + i * step, label)
            })
            .collect();
    }
    let (first, ..) = civil(from);
    let (last, ..) = civil(to);
    let months = [1, 3, 6].into_iter().find(|step| span / (30 * step) < most);
    let years = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].into_iter().find(|step| (last - first) / step < most).unwrap_or(2000);
    let mut ticks = Vec::new();
    let mut year = if months.is_some() { first } else { first - first.rem_euclid(years) };
    while year <= last {
        for month in (1..=12).step_by(months.map_or(12, |step| usize::try_from(step).unwrap_or(12))) {
            let day = from_civil(year, month, 1);
            if (from..=to).contains(&day) {
                let with_year = month == 1 || ticks.is_empty();
                let label = match months {
                    None => year.to_string(),
                    Some(_) if with_year => format!("{} {year}", name(month)),
                    Some(_) => name(month).to_owned(),
                };
                ticks.push((day, label));
            }
        }
        year += if months.is_some() { 1 } else { years };
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_and_back() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("1970-02", 31),
            ("2000-02-29", 11_016),
            ("2026-03-31T10:00:00Z", 20_543),
            ("1900-03-01", -25_508),
        ] {
            assert_eq!(days(text), Some(day), "{text}");
        }
        for text in ["", "2026", "2026-13", "2026-02-29", "26-01-01", "2026-1-1", "2026-01-01-01", "2026-00-10", "abcd-01"] {
            assert_eq!(days(text), None, "{text}");
        }
        for day in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, of_month) = civil(day);
            assert_eq!(from_civil(year, month, of_month), day);
        }
    }

    #[test]
    fn ticks_are_few_and_say_what_is_new() {
        let labels = |from: &str, to: &str| {
            ticks(days(from).unwrap(), days(to).unwrap(), 8).into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels("2026-03-01", "2026-03-06"), ["1 Mar 2026", "2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar"]);
        assert_eq!(labels("2025-10-15", "2026-04-20"), ["Nov 2025", "Dec", "Jan 2026", "Feb", "Mar", "Apr"]);
        assert_eq!(labels("2000-01-01", "2020-01-01"), ["2000", "2005", "2010", "2015", "2020"]);
    }
}
