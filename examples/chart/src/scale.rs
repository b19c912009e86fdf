//! Which numbers stand at an axis, and how are they written?

/// Round numbers that lie evenly and hold a range between them.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    /// The numbers, from the least to the greatest.
    pub(crate) at: Vec<f64>,
    step: f64,
}

impl Ticks {
    /// About so many ticks around a range. Steps are 1, 2 or 5 times a power of ten.
    pub(crate) fn around(min: f64, max: f64, about: f64) -> Self {
        // The ends of numbers would leave no room around them.
        let (min, max) = (min.clamp(-1e300, 1e300), max.clamp(-1e300, 1e300));
        let (min, max) = if max > min { (min, max) } else { (min - min.abs().max(1.0) / 2.0, max + max.abs().max(1.0) / 2.0) };
        // Halves, because the difference of two numbers can be too large for one.
        let rough = (max / 2.0 - min / 2.0) / about.max(1.0) * 2.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough * 0.999).unwrap_or(power);
        let first = (min / step + 1e-9).floor();
        let last = (max / step - 1e-9).ceil();
        let mut at = Vec::new();
        let mut i = 0.0;
        // The bound holds where rounding or the largest numbers make the count of steps meaningless.
        while first + i <= last && at.len() < 100 {
            // Minus zero would be written as such.
            at.push((first + i) * step + 0.0);
            i += 1.0;
        }
        at.retain(|number| number.is_finite());
        if at.len() < 2 {
            at = vec![min, max];
        }
        Self { at, step }
    }

    /// The least and the greatest.
    pub(crate) fn range(&self) -> (f64, f64) {
        (self.at.first().copied().unwrap_or(0.0), self.at.last().copied().unwrap_or(1.0))
    }

    /// A tick as it is written beside the others.
    pub(crate) fn label(&self, number: f64) -> String {
        let (least, most) = self.range();
        let largest = least.abs().max(most.abs());
        let (unit, sign) = unit(largest);
        if largest / unit >= 1e4 || (largest < 1e-4 && largest > 0.0) {
            return format!("{number:.1e}");
        }
        let step = self.step / unit;
        let digits = (0..6)
            .find(|digits| {
                (step * 10_f64.powi(*digits)).fract().abs() < 1e-6 || (step * 10_f64.powi(*digits)).fract() > 1.0 - 1e-6
            })
            .unwrap_or(6);
        format!("{:.*}{}", usize::try_from(digits).unwrap_or(0), number / unit, if number == 0.0 { "" } else { sign })
    }
}

/// What large numbers are counted in.
fn unit(largest: f64) -> (f64, &'static str) {
    match largest {
        n if n >= 1e12 => (1e12, "T"),
        n if n >= 1e9 => (1e9, "G"),
        n if n >= 1e6 => (1e6, "M"),
        n if n >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// A number by itself, with at most four digits behind the point where it has any before it.
pub(crate) fn number(number: f64) -> String {
    let size = number.abs();
    if size >= 1e15 || (size < 1e-4 && size > 0.0) {
        return format!("{number:e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(min: f64, max: f64) -> Vec<String> {
        let ticks = Ticks::around(min, max, 5.0);
        ticks.at.iter().map(|at| ticks.label(*at)).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.0, 97.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(-1.3, 2.2), ["-2", "-1", "0", "1", "2", "3"]);
        assert_eq!(labels(0.0, 0.7), ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(labels(0.0, 48_000.0), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(labels(1_200_000.0, 3_400_000.0), ["1.0M", "1.5M", "2.0M", "2.5M", "3.0M", "3.5M"]);
        assert_eq!(labels(2019.0, 2024.0), ["2019", "2020", "2021", "2022", "2023", "2024"]);
        assert_eq!(labels(5.0, 5.0), ["2", "3", "4", "5", "6", "7", "8"]);
    }

    #[test]
    fn no_range_makes_it_fail() {
        let ends = [0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 0.1 + 0.2, 1e15 + 1.0];
        for min in ends {
            for max in ends.into_iter().filter(|max| *max >= min) {
                let ticks = Ticks::around(min, max, 5.0);
                assert!((2..=100).contains(&ticks.at.len()), "{min} {max} {ticks:?}");
                assert!(ticks.at.iter().all(|at| at.is_finite() && ticks.label(*at).len() < 20), "{min} {max} {ticks:?}");
            }
        }
    }

    #[test]
    fn a_number_is_short() {
        for (given, expected) in
            [(1.0, "1"), (1.5, "1.5"), (0.333_333, "0.3333"), (-0.0, "-0"), (1e20, "1e20"), (12_345.678, "12345.678")]
        {
            assert_eq!(number(given), expected);
        }
    }
}
