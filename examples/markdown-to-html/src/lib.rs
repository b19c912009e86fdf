//! A skill that makes safe HTML of Markdown. What it offers stands in `wit/markdown-to-html.wit`.

mod clean;
mod page;
mod read;

use bindings::exports::skillhall::markdown_to_html::api::{ConvertError, Document, Extensions, Guest, Options};

skillhall_sdk::skill! { world: "skill", by: MarkdownToHtml }

/// The most bytes of the Markdown.
const MAX_INPUT: usize = 1 << 20;

/// The most bytes of the HTML.
const MAX_OUTPUT: usize = 3 << 20;

struct MarkdownToHtml;

impl Guest for MarkdownToHtml {
    fn convert(markdown: String, options: Option<Options>) -> Result<Document, ConvertError> {
        if markdown.len() > MAX_INPUT {
            return Err(ConvertError::TooLarge(MAX_INPUT as u64));
        }
        let (extensions, images, title) =
            options.map_or((None, None, None), |given| (given.extensions, given.images, given.page));
        let extensions = extensions.unwrap_or(Extensions::all() - Extensions::TYPOGRAPHY);
        let images = images.unwrap_or(true);
        let (raw, headings) = read::html(&markdown, extensions, images)?;
        if raw.len() > MAX_OUTPUT {
            return Err(ConvertError::OutputTooLarge(MAX_OUTPUT as u64));
        }
        let mut html = clean::clean(&raw, images);
        if let Some(title) = title {
            html = page::page(&title, &html);
        }
        if html.len() > MAX_OUTPUT {
            return Err(ConvertError::OutputTooLarge(MAX_OUTPUT as u64));
        }
        Ok(Document { html, headings })
    }
}

#[cfg(test)]
mod tests;
