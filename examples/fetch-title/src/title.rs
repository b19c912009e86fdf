//! From a URL to the title of the page behind it.

use crate::bindings::exports::skillhall::fetch_title::api::{FetchError, Other, Page};
use crate::charset::decode;
use crate::html;
use crate::url::Url;

/// The most bytes of a page that are read.
pub(crate) const MAX_BYTES: u32 = 2 * 1024 * 1024;
const MAX_REDIRECTS: usize = 3;

/// An answer to a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    /// The body: all of it, or more than [`MAX_BYTES`] of it.
    pub(crate) body: Vec<u8>,
}

/// Fetches the page by way of `get`.
pub(crate) fn title(text: &str, mut get: impl FnMut(&Url) -> Result<Answer, FetchError>) -> Result<Page, FetchError> {
    let mut url = Url::parse(text).map_err(|error| FetchError::InvalidUrl(error.to_owned()))?;
    let mut answer = get(&url)?;
    for _ in 0..MAX_REDIRECTS {
        let Some(next) = next(&url, &answer)? else { break };
        url = next;
        answer = get(&url)?;
    }
    match next(&url, &answer)? {
        None => page(&url, answer),
        Some(next) => Err(FetchError::TooManyRedirects(next.to_string())),
    }
}

/// Where a redirect leads. One that leads nowhere is a page like any other.
fn next(url: &Url, answer: &Answer) -> Result<Option<Url>, FetchError> {
    match (answer.status, &answer.location) {
        (301 | 302 | 303 | 307 | 308, Some(location)) => {
            let told = |error| FetchError::InvalidUrl(format!("the redirect to '{}': {error}", location.escape_default()));
            url.join(location).map(Some).map_err(told)
        }
        _ => Ok(None),
    }
}

fn page(url: &Url, answer: Answer) -> Result<Page, FetchError> {
    let Answer { status, content_type, body, .. } = answer;
    let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
    if bytes > MAX_BYTES {
        return Err(FetchError::TooLarge(MAX_BYTES));
    }
    if bytes > 0 && !is_html(content_type.as_deref(), &body) {
        return Err(FetchError::NotHtml(Other { status, content_type }));
    }
    let title = html::title(&decode(&body, content_type.as_deref()));
    Ok(Page { url: url.to_string(), status, title, content_type, bytes })
}

/// As the server says; where it says nothing, as it looks.
fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let Some(content_type) = content_type else {
        return body.trim_ascii_start().first() == Some(&b'<') || body.starts_with(&[0xef, 0xbb, 0xbf, b'<']);
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|html| essence.eq_ignore_ascii_case(html))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(body: &str) -> Answer {
        Answer { status: 200, content_type: Some("text/html".to_owned()), location: None, body: body.as_bytes().to_vec() }
    }

    fn to(location: &str) -> Answer {
        Answer { status: 302, location: Some(location.to_owned()), ..Answer::default() }
    }

    /// Answers in their order; gives what was asked for as well.
    fn through(url: &str, answers: &[Answer]) -> (Result<Page, FetchError>, Vec<String>) {
        let mut asked = Vec::new();
        let mut answers = answers.iter().cloned();
        let result = title(url, |url| {
            asked.push(url.to_string());
            answers.next().ok_or(FetchError::Unreachable("connection-refused".to_owned()))
        });
        (result, asked)
    }

    #[test]
    fn a_page_is_told_with_its_title() {
        let (page, asked) = through("https://A.example", &[html("<title>Hello</title>")]);
        let page = page.expect("a page");
        assert_eq!(
            (page.url.as_str(), page.status, page.title.as_deref(), page.bytes),
            ("https://a.example/", 200, Some("Hello"), 20)
        );
        assert_eq!(asked, ["https://a.example/"]);
    }

    #[test]
    fn up_to_three_redirects_are_followed() {
        let (page, asked) =
            through("https://a.example/x/y", &[to("z"), to("/w?q"), to("//b.example/"), html("<title>Here</title>")]);
        assert_eq!(page.expect("a page").url, "https://b.example/");
        assert_eq!(asked, ["https://a.example/x/y", "https://a.example/x/z", "https://a.example/w?q", "https://b.example/"]);
        let (page, asked) = through("https://a.example", &[to("/1"), to("/2"), to("/3"), to("/4")]);
        assert!(matches!(page, Err(FetchError::TooManyRedirects(next)) if next == "https://a.example/4"));
        assert_eq!(asked.len(), 4);
        let (page, _) = through("https://a.example", &[to("ftp://b.example/")]);
        assert!(matches!(page, Err(FetchError::InvalidUrl(_))));
    }

    #[test]
    fn a_status_is_data() {
        let missing = Answer { status: 404, ..html("<title>Not here</title>") };
        let page = through("https://a.example", &[missing]).0.expect("a page");
        assert_eq!((page.status, page.title.as_deref()), (404, Some("Not here")));
        let empty = Answer { status: 204, content_type: None, ..html("") };
        let page = through("https://a.example", &[empty]).0.expect("a page");
        assert_eq!((page.status, page.title, page.bytes), (204, None, 0));
        let nowhere = Answer { status: 302, ..html("<title>Moved</title>") };
        assert_eq!(through("https://a.example", &[nowhere]).0.expect("a page").status, 302);
    }

    #[test]
    fn what_is_no_page_is_an_error() {
        let json = Answer { status: 500, content_type: Some("application/json".to_owned()), ..html("{}") };
        let error = through("https://a.example", &[json]).0;
        assert!(matches!(error, Err(FetchError::NotHtml(Other { status: 500, content_type: Some(_) }))), "{error:?}");
        let text = Answer { content_type: None, ..html("title") };
        assert!(matches!(through("https://a.example", &[text]).0, Err(FetchError::NotHtml(Other { content_type: None, .. }))));
        let large = Answer { body: vec![b' '; MAX_BYTES as usize + 1], ..html("") };
        assert!(matches!(through("https://a.example", &[large]).0, Err(FetchError::TooLarge(MAX_BYTES))));
        assert!(matches!(through("https://a.example", &[]).0, Err(FetchError::Unreachable(_))));
        assert!(matches!(through("a.example", &[]).0, Err(FetchError::InvalidUrl(_))));
    }

    #[test]
    fn without_a_content_type_it_is_what_it_looks_like() {
        for body in ["<title>x</title>", " \n<!doctype html><title>x</title>", "\u{feff}<title>x</title>"] {
            let answer = Answer { content_type: None, ..html(body) };
            assert_eq!(through("https://a.example", &[answer]).0.expect("a page").title.as_deref(), Some("x"), "{body}");
        }
        for stated in ["Text/HTML; charset=x", "application/xhtml+xml", " text/html "] {
            let answer = Answer { content_type: Some(stated.to_owned()), ..html("<title>x</title>") };
            assert!(through("https://a.example", &[answer]).0.is_ok(), "{stated}");
        }
    }
}
