use super::*;

const SALES: &str = "month,north,south\n2026-01,120,80\n2026-02,150,95\n2026-03,,110\n2026-04,170,90\n";

fn options() -> Options {
    Options {
        kind: None,
        title: None,
        subtitle: None,
        x: None,
        y: None,
        x_label: None,
        y_label: None,
        stacked: None,
        theme: None,
        width: None,
        height: None,
        delimiter: None,
    }
}

fn draw(csv: &str, options: Options) -> Result<Drawing, DrawError> {
    Chart::draw(csv.to_owned(), Some(options))
}

/// Holds that the SVG is well-formed XML: every tag is closed in order, and nothing that XML forbids stands in it.
fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        assert!(tag.matches('"').count() % 2 == 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty() && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn columns_of_numbers_are_drawn_over_the_first() {
    let drawing = Chart::draw(SALES.to_owned(), None).unwrap();
    assert_eq!((drawing.series, drawing.points, drawing.skipped), (vec!["north".to_owned(), "south".to_owned()], 7, 1));
    assert!(drawing.svg.contains(">Jan 2026</text>") && drawing.svg.contains(">Apr</text>"), "{}", drawing.svg);
    assert!(drawing.svg.contains("<title>1 Feb 2026 · north: 150</title>"));
    well_formed(&drawing.svg);
}

#[test]
fn each_kind_has_its_marks() {
    for (kind, stacked, mark, count) in [
        (Kind::Line, false, "<circle", 7),
        (Kind::Scatter, false, "<circle", 7),
        (Kind::Bar, false, "<title>", 7),
        (Kind::Bar, true, "<title>", 7),
    ] {
        for theme in [Theme::Light, Theme::Dark] {
            let drawing =
                draw(SALES, Options { kind: Some(kind), stacked: Some(stacked), theme: Some(theme), ..options() }).unwrap();
            assert_eq!(drawing.svg.matches(mark).count(), count, "{kind:?}");
            well_formed(&drawing.svg);
        }
    }
}

#[test]
fn stacked_bars_lie_on_each_other() {
    // Where each bar begins and ends: first those of a, then those of b.
    let bars = |stacked| {
        let wanted = Options { kind: Some(Kind::Bar), stacked: Some(stacked), ..options() };
        let svg = draw("q,a,b\nx,10,30\ny,-10,-30\n", wanted).unwrap().svg;
        let bar = |path: &str| {
            let (from, rest) = path.split_once(' ')?.1.split_once('V')?;
            Some((from.parse::<f64>().ok()?, rest.split_once('a')?.0.parse::<f64>().ok()?))
        };
        svg.split("<path d=\"M").skip(1).filter_map(bar).collect::<Vec<_>>()
    };
    let &[(ground, a), (same, below), (b, top), (under, bottom)] = bars(true).as_slice() else { panic!("four bars") };
    assert_eq!((ground, b, under), (same, a, below));
    assert!(top < a && a < ground && ground < below && below < bottom);
    let beside = bars(false);
    assert!(beside.len() == 4 && beside.iter().all(|(from, _)| from.total_cmp(&beside[0].0).is_eq()));
}

#[test]
fn columns_are_chosen_by_name() {
    let drawing = draw(
        "a;b;c\n1;2;x\n3;4;y\n",
        Options { x: Some("c".into()), y: Some(vec!["b".into()]), delimiter: Some(';'), ..options() },
    )
    .unwrap();
    assert_eq!(drawing.series, ["b"]);
    assert!(drawing.svg.contains(">x</text>") && drawing.svg.contains(">c</text>"));
    let error = draw(SALES, Options { y: Some(vec!["east".into()]), ..options() });
    assert!(
        matches!(error, Err(DrawError::NoSuchColumn(missing)) if missing.column == "east" && missing.columns == ["month", "north", "south"])
    );
}

#[test]
fn no_text_leaves_its_place() {
    let evil = "</text></svg><script>alert(1)</script>\" onload=\"x\u{202e}";
    let csv = format!("{0},\"{1}\"\n{0},1\n{0}2,2\n", "<b>&", evil.replace('"', "\"\""));
    for kind in [Kind::Line, Kind::Bar, Kind::Scatter] {
        let named = || Some(evil.to_owned());
        let drawing = draw(
            &csv,
            Options { kind: Some(kind), title: named(), subtitle: named(), x_label: named(), y_label: named(), ..options() },
        )
        .unwrap();
        assert!(!drawing.svg.contains("<script") && !drawing.svg.contains("<b>") && !drawing.svg.contains('\u{202e}'));
        assert!(!drawing.svg.contains("\" onload"));
        well_formed(&drawing.svg);
    }
}

#[test]
fn what_cannot_be_drawn_is_told() {
    assert!(matches!(draw("", options()), Err(DrawError::NoRows)));
    assert!(matches!(draw("a,b\n", options()), Err(DrawError::NoRows)));
    assert!(matches!(draw("a,b\n1,2,3\n", options()), Err(DrawError::MalformedRow(2))));
    let error = draw("a,b\n1,x\n", options());
    assert!(
        matches!(error, Err(DrawError::NoNumbers(Some(cell))) if (cell.row, cell.column.as_str(), cell.value.as_str()) == (2, "b", "x"))
    );
    assert!(matches!(draw("a\n1\n", options()), Err(DrawError::NoNumbers(None))));
    let error = draw("a,b\n1,2\n2,n/a\n", Options { y: Some(vec!["b".into()]), ..options() });
    assert!(matches!(error, Err(DrawError::NotANumber(cell)) if cell.row == 3 && cell.value == "n/a"));
    assert!(matches!(draw(SALES, Options { delimiter: Some('"'), ..options() }), Err(DrawError::DelimiterNotAllowed('"'))));
    assert!(matches!(draw(SALES, Options { width: Some(100), ..options() }), Err(DrawError::SizeNotAllowed)));
    assert!(matches!(draw(SALES, Options { height: Some(5000), ..options() }), Err(DrawError::SizeNotAllowed)));
    let wide = (0..20).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let row = ["1"; 20].join(",");
    assert!(matches!(draw(&format!("{wide}\n{row}\n"), options()), Err(DrawError::TooManySeries(12))));
    let long = |rows: usize| {
        std::iter::once("a,b".to_owned()).chain((0..rows).map(|i| format!("{i},{i}"))).collect::<Vec<_>>().join("\n")
    };
    assert!(matches!(draw(&long(10_001), options()), Err(DrawError::TooManyRows(10_000))));
    assert!(matches!(draw(&long(1001), Options { kind: Some(Kind::Bar), ..options() }), Err(DrawError::TooManyBars(1000))));
    well_formed(&draw(&long(10_000), options()).unwrap().svg);
}

#[test]
fn no_numbers_break_the_drawing() {
    for (a, b) in [("0", "0"), ("1e308", "-1e308"), ("5", "5"), ("1e-320", "2e-320"), ("-1", "-2"), ("1e300", "1")] {
        for kind in [Kind::Line, Kind::Bar, Kind::Scatter] {
            for stacked in [true, false] {
                for size in [(240, 160), (2000, 2000)] {
                    let csv = format!("x,y,z\n{a},{a},{b}\n{b},{b},{b}\n");
                    let wanted = Options {
                        kind: Some(kind),
                        stacked: Some(stacked),
                        width: Some(size.0),
                        height: Some(size.1),
                        title: Some("t".repeat(300)),
                        ..options()
                    };
                    well_formed(&draw(&csv, wanted).unwrap().svg);
                }
            }
        }
    }
    well_formed(&draw("x,y\n,1\n,2\n", options()).unwrap().svg);
    assert!(matches!(draw("x,y\n1,inf\n", options()), Err(DrawError::NoNumbers(Some(_)))));
}

#[test]
fn many_names_are_set_aslant_and_thinned() {
    let csv: String =
        std::iter::once("name,n\n".to_owned()).chain((0..300).map(|i| format!("category number {i},{i}\n"))).collect();
    let drawing = draw(&csv, Options { kind: Some(Kind::Bar), ..options() }).unwrap();
    let shown = drawing.svg.matches("rotate(-40)").count();
    assert!((20..80).contains(&shown), "{shown}");
    well_formed(&drawing.svg);
}
