//! The published world of the harmless base is sound WIT, and bindings can be made of it.

#[allow(dead_code, missing_docs, unsafe_code, clippy::all, clippy::pedantic, clippy::restriction, reason = "made by wit-bindgen")]
mod bindings {
    skillhall_sdk::wit_bindgen::generate!({
        world: "skillhall:skill/base@0.1.0",
        path: "../../wit/skill/0.1.0",
        generate_all,
        runtime_path: "::skillhall_sdk::wit_bindgen::rt",
    });
}

#[test]
fn the_base_gives_streams_clocks_and_randomness() {
    let _: fn() -> bindings::wasi::cli::stderr::OutputStream = bindings::wasi::cli::stderr::get_stderr;
    let _: fn() -> u64 = bindings::wasi::clocks::monotonic_clock::now;
    let _: fn(u64) -> Vec<u8> = bindings::wasi::random::random::get_random_bytes;
}
