//! A skill that reads the text of PDF files. What it offers stands in `wit/pdf-text.wit`.

mod glyphs;
mod lines;
mod words;

use bindings::exports::skillhall::pdf_text::api::{Document, Guest, Options, Page, ReadError};
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

skillhall_sdk::skill! { world: "skill", by: PdfText }

/// The most pages that are read where the caller does not say which.
const PAGES: usize = 200;

/// The most bytes of all texts together.
const MAX_BYTES: usize = 3 << 20;

/// How far from the beginning the mark of a PDF may stand; programs write things before it.
const MARK_WITHIN: usize = 1024;

struct PdfText;

impl Guest for PdfText {
    fn read(pdf: Vec<u8>, options: Option<Options>) -> Result<Document, ReadError> {
        let options = options.unwrap_or(Options { first: None, last: None, password: None });
        if !pdf.get(..MARK_WITHIN.min(pdf.len())).is_some_and(|begin| begin.windows(5).any(|part| part == b"%PDF-")) {
            return Err(ReadError::NotAPdf);
        }
        let pdf = Pdf::new_with_password(pdf, options.password.as_deref().unwrap_or_default()).map_err(refused)?;
        let pages = pdf.pages();
        if pages.is_empty() {
            return Err(ReadError::Damaged);
        }
        let (first, last) = range(&options, pages.len())?;
        let mut read = Vec::new();
        let mut bytes = 0;
        for (at, page) in pages.iter().enumerate().take(last).skip(first - 1) {
            let (text, unknown) = glyphs::read(&pdf, page, MAX_BYTES - bytes).ok_or(ReadError::TooLarge(MAX_BYTES as u64))?;
            bytes += text.len();
            read.push(Page { number: count(at + 1), text, unknown });
        }
        let complete = read.len() == pages.len();
        let said = |value: &Option<Box<[u8]>>| value.as_deref().and_then(words::decoded);
        let (title, author) = (said(&pdf.metadata().title), said(&pdf.metadata().author));
        Ok(Document { pages: read, page_count: count(pages.len()), complete, title, author })
    }
}

/// The first and the last page, both from 1.
fn range(options: &Options, pages: usize) -> Result<(usize, usize), ReadError> {
    let there = |page: u32| {
        usize::try_from(page).ok().filter(|page| (1..=pages).contains(page)).ok_or(ReadError::NoSuchPage(count(pages)))
    };
    let first = there(options.first.unwrap_or(1))?;
    let last = options.last.map_or(Ok(pages.min(first + PAGES - 1)), there)?;
    if first <= last { Ok((first, last)) } else { Err(ReadError::NoSuchPage(count(pages))) }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn refused(error: LoadPdfError) -> ReadError {
    match error {
        LoadPdfError::Invalid => ReadError::Damaged,
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ReadError::PasswordNeeded,
        LoadPdfError::Decryption(_) => ReadError::EncryptionNotSupported,
    }
}

#[cfg(test)]
mod tests;
