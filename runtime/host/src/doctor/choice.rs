//! The guests that are built in: those of `tests/guests` that are marked for the doctor, compiled from text to components once,
//! and kept in `fixtures/doctor` (`BLESS=1` makes them anew). A test holds the list and the components against the texts.

use std::sync::Arc;

use super::guest::{Guest, HeadError};

/// A guest's name, its text (of which only the head is read) and its component.
pub(super) type BuiltIn = (&'static str, &'static str, &'static [u8]);

macro_rules! component {
    ($name:literal) => {
        include_bytes!(concat!("../../../../fixtures/doctor/", $name, ".wasm")) as &[u8]
    };
    ($name:literal $body:literal) => {
        component!($body)
    };
}

/// Names, each with the name of its body where it shares that with others.
macro_rules! built_in {
    ($($name:literal $($body:literal)?),* $(,)?) => {
        [$((
            $name,
            include_str!(concat!("../../../../tests/guests/", $name, ".wat")),
            component!($name $($body)?),
        )),*]
    };
}

/// Runs after each of the others.
pub(super) const GOOD: BuiltIn = built_in!["good-echo"][0];

/// By name.
pub(super) const HOSTILE: &[BuiltIn] = &built_in![
    "advisory-GHSA-2hw9-preempted-in-bulk",
    "advisory-GHSA-2r75-truncate-where-it-may-read" "files",
    "advisory-GHSA-394w-utf16-to-utf8-without-room",
    "advisory-GHSA-4h67-component-intrinsics",
    "advisory-GHSA-5hhx-interrupted-in-start",
    "advisory-GHSA-6fr9-lent-without-end",
    "advisory-GHSA-6wgr-fill-then-read",
    "advisory-GHSA-7v24-host-call-from-realloc",
    "advisory-GHSA-852m-sixty-megabytes-into-one-call",
    "advisory-GHSA-hmwq-trap-then-call",
    "advisory-GHSA-hx6p-utf16-to-latin1-at-the-end",
    "advisory-GHSA-jhxm-shifted-index",
    "advisory-GHSA-jxhv-utf16-at-an-odd-place",
    "advisory-GHSA-m758-flags-with-more-bits",
    "advisory-GHSA-mghf-branch-table",
    "advisory-GHSA-p8xm-table-larger-than-all-addresses",
    "advisory-GHSA-q554-handles-of-many-instances",
    "advisory-GHSA-qqfj-splat-at-the-end",
    "advisory-GHSA-vc8c-copysign-at-the-end",
    "advisory-GHSA-vqjp-slash-behind-a-link" "files",
    "calls-clock-flood",
    "calls-drop-flood",
    "calls-random-bytes-flood",
    "calls-random-bytes-without-number",
    "compile-core-module",
    "compile-program-of-the-machine",
    "compile-section-of-four-gibibytes",
    "exit-as-done",
    "feature-garbage-collection",
    "feature-shared-memory",
    "files-absolute" "files",
    "files-flood-of-opens" "files",
    "files-parent" "files",
    "files-pipe" "files",
    "files-through-a-link" "files",
    "files-write-where-it-may-read" "files",
    "fuel-loop",
    "handles-of-its-own",
    "handles-of-the-host",
    "link-files-not-granted",
    "link-http-not-granted",
    "link-sockets-not-granted",
    "link-unknown-interface",
    "memory-and-table-together",
    "memory-four-gibibytes-at-once",
    "memory-grow",
    "memory-of-another-run",
    "memory-of-three-instances",
    "memory-table-grow",
    "memory-too-many-instances",
    "output-escape-sequences",
    "output-flood",
    "output-flood-of-errors",
    "output-result-too-large",
    "powers-empty-files",
    "powers-empty-http",
    "powers-empty-sockets",
    "powers-environment",
    "stack-recursion",
    "time-bulk-memory",
    "time-bulk-table",
    "time-loop-in-call",
    "time-loop-in-destructor",
    "time-loop-in-post-return",
    "time-loop-in-realloc",
    "time-loop-in-start",
    "time-sleep-for-an-hour",
    "trap-load-at-a-far-offset",
    "trap-with-a-backtrace",
    "values-input-too-large",
    "values-lists-of-the-same-list",
    "values-same-text-a-thousand-times",
    "values-too-many-elements",
];

/// The hostile guests, and the good one.
pub(super) fn guests() -> Result<(Vec<Guest>, Guest), HeadError> {
    let read = |(name, text, component): &BuiltIn| Guest::new(name, text, Arc::from(*component));
    Ok((HOSTILE.iter().map(read).collect::<Result<_, _>>()?, read(&GOOD)?))
}
