//! A skill that fetches a web page and says its title. What it offers stands in `wit/fetch-title.wit`.

mod charset;
mod entity;
mod html;
mod title;
mod url;
#[cfg(target_arch = "wasm32")]
mod web;

use bindings::exports::skillhall::fetch_title::api::{FetchError, Guest, Page};

skillhall_sdk::skill! { world: "skill", by: FetchTitle }

struct FetchTitle;

impl Guest for FetchTitle {
    #[cfg(target_arch = "wasm32")]
    fn title(url: String) -> Result<Page, FetchError> {
        title::title(&url, web::get)
    }

    /// There is no network but the one that a host gives to a component.
    #[cfg(not(target_arch = "wasm32"))]
    fn title(url: String) -> Result<Page, FetchError> {
        title::title(&url, |_| Err(FetchError::Refused("HTTP-request-denied".to_owned())))
    }
}
