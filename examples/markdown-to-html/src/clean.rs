//! Which HTML is let through?

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};

use crate::read::ID;

/// What of HTML cannot do harm. It is parsed as browsers parse it and written anew, so nothing depends on how it was written.
pub(crate) fn clean(html: &str, images: bool) -> String {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer nofollow"))
        .id_prefix(Some(ID))
        .add_generic_attributes(&["id"])
        .add_tag_attributes("code", &["class"])
        .add_tag_attributes("td", &["style"])
        .add_tag_attributes("th", &["style"])
        .allowed_classes(HashMap::from([
            ("sup", HashSet::from(["footnote-reference", "footnote-definition-label"])),
            ("div", HashSet::from(["footnote-definition"])),
        ]))
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("code", "class") => is_language(value).then_some(Cow::Borrowed(value)),
            (_, "style") => is_alignment(value).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    if !images {
        builder.rm_tags(&["img", "map", "area"]);
    }
    builder.clean(html).to_string()
}

/// The one style there is: how the cells of a column are set.
fn is_alignment(style: &str) -> bool {
    ["left", "center", "right"].map(|side| format!("text-align: {side}")).contains(&style.trim().to_owned())
}

/// The class by which code says its language, for whoever colours it.
fn is_language(class: &str) -> bool {
    let name = class.strip_prefix("language-").unwrap_or_default();
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+#._-".contains(&b))
}
