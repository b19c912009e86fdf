//! What does a whole page look like?

/// A page that lets nothing be loaded but pictures, and nothing be run, whatever stands in it.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src http: https:; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 17px/1.6 system-ui, sans-serif; margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2em 0 .6em; }
h1 { font-size: 2.1rem; margin-top: 1rem; }
h2 { padding-bottom: .3em; border-bottom: 1px solid var(--line); }
a { color: #2563eb; }
img { max-width: 100%; }
pre, code { font: .88em/1.5 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .15em .35em; }
pre { padding: 1em; overflow-x: auto; }
pre code { padding: 0; background: none; font-size: 1em; }
blockquote { margin: 1em 0; padding: .1em 1.2em; border-left: 4px solid var(--line); opacity: .85; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .45em .9em; border: 1px solid var(--line); }
th { background: var(--soft); }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
.footnote-definition { font-size: .88em; display: flex; gap: .6em; }
";
