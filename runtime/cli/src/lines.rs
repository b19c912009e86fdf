//! Two texts side by side: which lines went, and which came.

/// The most comparisons of lines; beyond it everything between the first and the last difference counts as changed.
const MOST: usize = 4 << 20;
/// Lines that are shown before and behind a change.
const AROUND: usize = 2;

/// One line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The changes from one text to the other, each with a few lines around it. Nothing if they are equal.
pub(crate) fn changes<'a>(old: &'a str, new: &'a str) -> Vec<Line<'a>> {
    let all = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed: Vec<usize> =
        all.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_))).map(|(index, _)| index).collect();
    let near = |index: usize| {
        let after = changed.partition_point(|changed| *changed < index);
        let next = changed.get(after).is_some_and(|changed| changed - index <= AROUND);
        let last = after.checked_sub(1).and_then(|before| changed.get(before)).is_some_and(|changed| index - changed <= AROUND);
        next || last
    };
    all.iter().enumerate().filter(|(index, _)| near(*index)).map(|(_, line)| *line).collect()
}

/// The lines as they are shown: with a minus, a plus or a blank before them.
pub(crate) fn shown(lines: &[Line<'_>]) -> Vec<String> {
    lines
        .iter()
        .map(|line| match line {
            Line::Same(text) => format!("   {text}"),
            Line::Gone(text) => format!("  -{text}"),
            Line::New(text) => format!("  +{text}"),
        })
        .collect()
}

fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let before = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old_rest, new_rest) = (old.get(before..).unwrap_or_default(), new.get(before..).unwrap_or_default());
    let after = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let old_rest = old_rest.get(..old_rest.len() - after).unwrap_or_default();
    let new_rest = new_rest.get(..new_rest.len() - after).unwrap_or_default();
    let mut lines: Vec<Line<'a>> = old.iter().take(before).map(|line| Line::Same(line)).collect();
    if old_rest.len().saturating_mul(new_rest.len()) > MOST {
        lines.extend(old_rest.iter().map(|line| Line::Gone(line)));
        lines.extend(new_rest.iter().map(|line| Line::New(line)));
    } else {
        lines.extend(longest_common(old_rest, new_rest));
    }
    lines.extend(old.iter().skip(old.len() - after).map(|line| Line::Same(line)));
    lines
}

/// By the longest common subsequence.
fn longest_common<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    let at = |lengths: &[u32], row: usize, column: usize| lengths.get(row * width + column).copied().unwrap_or_default();
    for (row, one) in old.iter().enumerate().rev() {
        for (column, other) in new.iter().enumerate().rev() {
            let length = if one == other {
                at(&lengths, row + 1, column + 1) + 1
            } else {
                at(&lengths, row + 1, column).max(at(&lengths, row, column + 1))
            };
            if let Some(place) = lengths.get_mut(row * width + column) {
                *place = length;
            }
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(row), new.get(column)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Same(one));
                (row, column) = (row + 1, column + 1);
            }
            (Some(one), other) if other.is_none() || at(&lengths, row + 1, column) >= at(&lengths, row, column + 1) => {
                lines.push(Line::Gone(one));
                row += 1;
            }
            (_, Some(other)) => {
                lines.push(Line::New(other));
                column += 1;
            }
            (_, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_shown_with_a_little_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let new = "a\nb\nc\nx\ny\ne\nf\ng\n";
        assert_eq!(shown(&changes(old, new)), ["   b", "   c", "  -d", "  +x", "  +y", "   e", "   f"]);
        assert!(changes(old, old).is_empty());
        assert_eq!(shown(&changes("", "a\n")), ["  +a"]);
        assert_eq!(shown(&changes("a\n", "")), ["  -a"]);
        assert_eq!(shown(&changes("a\nb\n", "b\na\n")), ["  -a", "   b", "  +a"]);
    }

    #[test]
    fn long_texts_are_compared_too() {
        let old: String = (0..5000).map(|line| format!("old {line}\n")).collect();
        let new: String = (0..5000).map(|line| format!("new {line}\n")).collect();
        assert_eq!(changes(&old, &new).len(), 10_000);
    }
}
