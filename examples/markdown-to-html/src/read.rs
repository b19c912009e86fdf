//! What does the Markdown say? The HTML that comes of it is not yet safe.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::bindings::exports::skillhall::markdown_to_html::api::{ConvertError, Extensions, Heading};

/// What every id begins with, so that none takes the place of another on the page that the HTML is shown on.
pub(crate) const ID: &str = "md-";

/// The most elements that can be open at once.
const MAX_DEPTH: u32 = 60;

/// The most tags of HTML in the Markdown; of its lines and entities there may be five times as many. What parses them takes time by the
/// square of how many there are.
const MAX_TAGS: u32 = 4000;

/// The most lines and signs that have to be escaped in one piece of text: what parses HTML takes time by their square.
const MAX_RUN: usize = 200;

/// What parts two pieces of text. It is not let through.
const PART: &str = "<!---->";

/// The HTML as it was written, and the headings.
pub(crate) fn html(markdown: &str, extensions: Extensions, images: bool) -> Result<(String, Vec<Heading>), ConvertError> {
    let mut events = Vec::new();
    let mut depth = 0_u32;
    let mut tags = 0_usize;
    let mut run = 0_usize;
    let mut pictures = 0_usize;
    let mut notes = Notes::default();
    for event in Parser::new_ext(markdown, options(extensions)) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Html(text) | Event::InlineHtml(text) => {
                tags += 5 * text.matches('<').count() + text.matches(['&', '\n']).count();
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(ConvertError::TooDeep(MAX_DEPTH));
        }
        if tags > 5 * MAX_TAGS as usize {
            return Err(ConvertError::TooManyTags(MAX_TAGS));
        }
        match &event {
            Event::Start(Tag::Image { .. }) => pictures += 1,
            Event::End(TagEnd::Image) => pictures = pictures.saturating_sub(1),
            _ => {}
        }
        match changed(event, images, &mut notes) {
            // What stands in a picture becomes an attribute, which holds no parts.
            event if pictures > 0 && images => events.push(event),
            Event::Text(text) => part(&mut events, text, &mut run),
            Event::Code(text) if specials(&text) > MAX_RUN => {
                events.push(Event::InlineHtml(CowStr::Borrowed("<code>")));
                part(&mut events, text, &mut run);
                events.push(Event::InlineHtml(CowStr::Borrowed("</code>")));
            }
            event => {
                run = if matches!(event, Event::SoftBreak) { run + 1 } else { 0 };
                events.push(event);
            }
        }
    }
    let headings = name_headings(&mut events);
    let mut text = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut text, events.into_iter());
    Ok((text, headings))
}

/// Puts a text in pieces that are small enough. `run` is what the text before it has used up of its piece.
fn part<'a>(events: &mut Vec<Event<'a>>, text: CowStr<'a>, run: &mut usize) {
    if *run + specials(&text) <= MAX_RUN {
        *run += specials(&text);
        events.push(Event::Text(text));
        return;
    }
    let mut piece = String::new();
    for c in text.chars() {
        piece.push(c);
        *run += usize::from(is_special(c));
        if *run > MAX_RUN {
            *run = 0;
            events.extend([Event::Text(std::mem::take(&mut piece).into()), Event::InlineHtml(CowStr::Borrowed(PART))]);
        }
    }
    events.push(Event::Text(piece.into()));
}

fn specials(text: &str) -> usize {
    text.chars().filter(|c| is_special(*c)).count()
}

fn is_special(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'' | '\n' | '\r' | '\0')
}

fn options(extensions: Extensions) -> Options {
    [
        (Extensions::TABLES, Options::ENABLE_TABLES),
        (Extensions::FOOTNOTES, Options::ENABLE_FOOTNOTES),
        (Extensions::STRIKETHROUGH, Options::ENABLE_STRIKETHROUGH),
        (Extensions::TASKS, Options::ENABLE_TASKLISTS),
        (Extensions::TYPOGRAPHY, Options::ENABLE_SMART_PUNCTUATION),
    ]
    .into_iter()
    .filter(|(extension, _)| extensions.contains(*extension))
    .map(|(_, option)| option)
    .collect()
}

/// The numbers of footnotes by their names.
#[derive(Default)]
struct Notes(HashMap<String, usize>);

impl Notes {
    fn number(&mut self, name: &str) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

/// What is written in another way than usual: boxes of tasks without a form, ids with their prefix, no pictures.
fn changed<'a>(event: Event<'a>, images: bool, notes: &mut Notes) -> Event<'a> {
    match event {
        Event::TaskListMarker(done) => Event::Text(CowStr::Borrowed(if done { "☑ " } else { "☐ " })),
        Event::FootnoteReference(name) => {
            let number = notes.number(&name);
            let link = format!("<sup class=\"footnote-reference\"><a href=\"#{ID}note-{number}\">{number}</a></sup>");
            Event::InlineHtml(link.into())
        }
        Event::Start(Tag::FootnoteDefinition(name)) => {
            let number = notes.number(&name);
            let begin = format!(
                "<div class=\"footnote-definition\" id=\"{ID}note-{number}\"><sup class=\"footnote-definition-label\">{number}</sup>\n"
            );
            Event::Html(begin.into())
        }
        Event::End(TagEnd::FootnoteDefinition) => Event::Html(CowStr::Borrowed("</div>\n")),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = dest_url.strip_prefix('#').map(|name| format!("#{ID}{name}").into()).unwrap_or(dest_url);
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::Start(Tag::Image { .. }) if !images => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) if !images => Event::End(TagEnd::Emphasis),
        event => event,
    }
}

/// Gives each heading an id of its own, made of its text.
fn name_headings(events: &mut [Event]) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut taken = HashMap::<String, u32>::new();
    let mut begun = None;
    let mut text = String::new();
    let mut named = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                begun = Some(at);
                text.clear();
            }
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Heading(level)) => {
                let slug = slug(&text);
                let times = taken.entry(slug.clone()).and_modify(|times| *times += 1).or_insert(1);
                let id = if *times == 1 { format!("{ID}{slug}") } else { format!("{ID}{slug}-{times}") };
                named.extend(begun.take().map(|begun| (begun, id.clone())));
                headings.push(Heading { level: *level as u8, text: text.trim().to_owned(), id });
            }
            _ => {}
        }
    }
    for (at, name) in named {
        if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(at) {
            *id = Some(name.into());
        }
    }
    headings
}

/// Letters and digits in lower case with hyphens between words.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "section".to_owned() } else { slug.chars().take(80).collect() }
}
