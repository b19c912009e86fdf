//! Components made for each WIT type, and bytes of someone who means harm.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::*;

/// A component with code for the one world of a WIT text.
fn component(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// The one function of a world that exports it bare.
fn function(signature: &str, types: &str) -> Function {
    let wit =
        format!("package t:t; interface types {{ {types} }} world w {{ export api: interface {{ {types} f: {signature}; }} }}");
    let interface = read(&component(&wit)).unwrap();
    assert_eq!(interface.functions.len(), 1, "{interface:?}");
    interface.functions[0].clone()
}

fn result_of(ty: &str, types: &str) -> Type {
    let function = function(&format!("func(a: {ty}) -> {ty}"), types);
    assert_eq!(function.refused, None);
    let result = function.result.unwrap();
    assert_eq!(function.params, [("a".to_owned(), result.clone())]);
    result
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.to_owned(), ty, docs: None }
}

#[test]
fn every_type_that_is_data() {
    use Type as T;
    let boxed = |ty| Box::new(ty);
    for (wit, ty) in [
        ("bool", T::Bool),
        ("s8", T::S8),
        ("s16", T::S16),
        ("s32", T::S32),
        ("s64", T::S64),
        ("u8", T::U8),
        ("u16", T::U16),
        ("u32", T::U32),
        ("u64", T::U64),
        ("f32", T::F32),
        ("f64", T::F64),
        ("char", T::Char),
        ("string", T::String),
        ("list<u8>", T::Bytes),
        ("list<s8>", T::List(boxed(T::S8))),
        ("list<list<u8>>", T::List(boxed(T::Bytes))),
        ("list<u8, 4>", T::FixedList(boxed(T::U8), 4)),
        ("map<string, u8>", T::Map(boxed(T::String), boxed(T::U8))),
        ("tuple<u8, string>", T::Tuple(vec![T::U8, T::String])),
        ("option<option<u8>>", T::Option(boxed(T::Option(boxed(T::U8))))),
        ("result", T::Result { ok: None, err: None }),
        ("result<u8>", T::Result { ok: Some(boxed(T::U8)), err: None }),
        ("result<_, string>", T::Result { ok: None, err: Some(boxed(T::String)) }),
        ("result<u8, string>", T::Result { ok: Some(boxed(T::U8)), err: Some(boxed(T::String)) }),
    ] {
        assert_eq!(result_of(wit, ""), ty, "{wit}");
    }
}

#[test]
fn every_type_that_has_a_name() {
    let record = result_of("r", "record r { a-b: u8, c: option<string> }");
    assert_eq!(record, Type::Record(vec![field("a-b", Type::U8), field("c", Type::Option(Box::new(Type::String)))]));
    let variant = result_of("v", "variant v { none, some-of(u8) }");
    let cases =
        vec![Case { name: "none".into(), ty: None, docs: None }, Case { name: "some-of".into(), ty: Some(Type::U8), docs: None }];
    assert_eq!(variant, Type::Variant(cases));
    assert_eq!(result_of("e", "enum e { red, dark-blue }"), Type::Enum(vec!["red".into(), "dark-blue".into()]));
    assert_eq!(result_of("p", "flags p { r, w }"), Type::Flags(vec!["r".into(), "w".into()]));
    assert_eq!(result_of("list<byte>", "type octet = u8; type byte = octet;"), Type::Bytes, "a name for u8 is u8");
}

#[test]
fn functions_without_parameters_or_result() {
    let function = function("func()", "");
    assert_eq!((function.params.len(), function.result, function.refused), (0, None, None));
}

#[test]
fn names_of_imports_exports_and_functions() {
    let wit = r"
        package acme:redact@1.2.0;
        interface api { mask: func(text: string) -> string; count: func() -> u32; }
        interface log { line: func(text: string); }
        world w { import log; import now: func() -> u64; export api; export run: func(); }
    ";
    let interface = read(&component(wit)).unwrap();
    assert_eq!(interface.imports, ["acme:redact/log@1.2.0", "now"]);
    assert_eq!(interface.exports, ["acme:redact/api@1.2.0", "run"]);
    let functions: Vec<_> =
        interface.functions.iter().map(|function| (function.export.as_str(), function.name.as_str())).collect();
    assert_eq!(functions, [("acme:redact/api@1.2.0#count", "count"), ("acme:redact/api@1.2.0#mask", "mask"), ("run", "run")]);
}

#[test]
fn the_printed_world_parses_again_and_is_always_the_same() {
    let wit = "package acme:redact; interface api { record r { a: u8 } mask: func(r: r) -> string; } world w { export api; }";
    let bytes = component(wit);
    let interface = read(&bytes).unwrap();
    assert!(
        interface.wit.contains("export acme:redact/api;") && interface.wit.contains("mask: func(r: r) -> string;"),
        "{}",
        interface.wit
    );
    Resolve::default().push_source("printed.wit", &interface.wit).unwrap();
    assert_eq!(read(&bytes).unwrap(), interface);
}

#[test]
fn wasi_is_named_and_not_repeated() {
    let wit = r"
        package t:t;
        world w { import wasi:cli/exit@0.2.6; export run: func(); }
        package wasi:cli@0.2.6 { interface exit { exit: func(status: result); } }
    ";
    let interface = read(&component(wit)).unwrap();
    assert_eq!(interface.imports, ["wasi:cli/exit@0.2.6"]);
    assert!(
        interface.wit.contains("import wasi:cli/exit@0.2.6;") && !interface.wit.contains("interface exit"),
        "{}",
        interface.wit
    );
}

#[test]
fn what_is_no_data_is_refused_with_the_reason() {
    for (wit, reason) in [
        ("func(a: own-it)", "its parameter `a` holds a resource"),
        ("func(a: borrow<thing>)", "its parameter `a` holds a resource"),
        ("func() -> list<option<own-it>>", "its result holds a resource"),
        ("func() -> stream<u8>", "its result holds a stream"),
        ("func(a: future<u8>)", "its parameter `a` holds a future"),
    ] {
        let wit = format!(
            "package t:t; interface api {{ resource thing; type own-it = own<thing>; f: {wit}; }} world w {{ export api; }}"
        );
        let functions = read(&component(&wit)).unwrap().functions;
        let function = functions.iter().find(|function| function.name == "f").unwrap();
        assert!(function.refused.as_ref().unwrap().starts_with(reason), "{function:?}");
        assert!(function.params.is_empty() && function.result.is_none());
    }
    let wit =
        "package t:t; interface api { resource thing { m: func(); constructor(); s: static func(); } } world w { export api; }";
    let functions = read(&component(wit)).unwrap().functions;
    assert_eq!(functions.len(), 3);
    assert!(
        functions.iter().all(|function| function.refused.as_ref().is_some_and(|reason| reason.contains("belongs to a resource")))
    );
}

#[test]
fn async_functions_are_refused() {
    let function = function("async func(a: u8)", "");
    assert!(function.refused.as_ref().unwrap().starts_with("it is async"), "{function:?}");
}

#[test]
fn types_too_deep_or_too_many_are_refused_as_tools() {
    let list = |levels: usize| format!("{}u16{}", "list<".repeat(levels), ">".repeat(levels));
    assert_eq!(function(&format!("func(a: {})", list(31)), "").refused, None);
    let refused = function(&format!("func(a: {})", list(32)), "").refused.unwrap();
    assert!(refused.contains("nested deeper than 32"), "{refused}");

    let doubling: String = (0..14).map(|level| format!("record r{} {{ a: r{level}, b: r{level} }} ", level + 1)).collect();
    let refused = function("func() -> r14", &format!("record r0 {{ a: u8 }} {doubling}")).refused.unwrap();
    assert!(refused.contains("more than 4096 types"), "{refused}");
}

#[test]
fn comments_come_from_the_wit_folder() {
    let wit = r"
        package acme:redact@1.2.0;
        interface api {
            /// What to mask.
            record job {
                /// The text itself.
                text: string,
                how: how,
            }
            variant how {
                /// With this character.
                char-of(char),
                drop,
            }
            /// Masks personal data.
            ///
            /// Twice over.
            mask: func(job: job) -> result<string, job>;
        }
        world w {
            export api;
            /// Runs.
            export run: func();
        }
    ";
    let mut interface = read(&component(wit)).unwrap();
    let bare = interface.clone();
    assert!(interface.functions.iter().all(|function| function.docs.is_none()));

    let docs =
        Docs::read(&BTreeMap::from([("world.wit".to_owned(), wit.to_owned()), ("notes.txt".to_owned(), "no wit".to_owned())]))
            .unwrap();
    assert_eq!(docs.function("acme:redact/api@1.2.0#mask"), Some("Masks personal data.\n\nTwice over."));
    assert_eq!(
        docs.function("acme:redact/api@9.0.0#mask"),
        Some("Masks personal data.\n\nTwice over."),
        "a version does not matter"
    );
    assert_eq!(docs.function("acme:redact/api#mask"), Some("Masks personal data.\n\nTwice over."));
    assert_eq!(docs.function("run"), Some("Runs."));
    assert_eq!(docs.function("acme:redact/api#unmask"), None);

    docs.apply(&mut interface);
    let mask = &interface.functions[0];
    assert_eq!(mask.docs.as_deref(), Some("Masks personal data.\n\nTwice over."));
    let Type::Record(fields) = &mask.params[0].1 else { panic!("{mask:?}") };
    assert_eq!(fields[0].docs.as_deref(), Some("The text itself."));
    let Type::Variant(cases) = &fields[1].ty else { panic!("{mask:?}") };
    assert_eq!(cases[0].docs.as_deref(), Some("With this character."));
    assert_eq!((&interface.wit, &interface.imports), (&bare.wit, &bare.imports));
}

#[test]
fn the_wit_folder_may_have_packages_it_uses() {
    let files = BTreeMap::from([
        ("a.wit".to_owned(), "package t:t; world w { export i; }".to_owned()),
        ("b.wit".to_owned(), "interface i { use d:d/types.{x}; /// F.\n f: func(x: x); }".to_owned()),
        ("deps/d/d.wit".to_owned(), "package d:d; interface types { use e:e/types.{x}; }".to_owned()),
        ("deps/e.wit".to_owned(), "package e:e; interface types { type x = u8; }".to_owned()),
    ]);
    assert_eq!(Docs::read(&files).unwrap().function("t:t/i#f"), Some("F."));
    assert_eq!(Docs::read(&BTreeMap::new()).unwrap(), Docs::default());
}

#[test]
fn wit_text_that_does_not_parse_says_where() {
    let read = |text: &str| Docs::read(&BTreeMap::from([("bad.wit".to_owned(), text.to_owned())]));
    let error = read("package t:t;\ninterface i { f: func(; }").unwrap_err().to_string();
    assert!(error.contains("bad.wit:2"), "{error}");
    assert!(matches!(read("package t:t; interface i { use missing:p/x.{y}; }"), Err(WitError::Text(_))));
    assert!(matches!(read("package t:t; world w { include w; }"), Err(WitError::Text(_))));
    assert!(matches!(read(&" ".repeat(MAX_WIT_BYTES + 1)), Err(WitError::TooLarge { .. })));
    let levels = MAX_WIT_BYTES / 6 - 20;
    let deep = format!("package t:t; interface i {{ type a = {}u8{}; }}", "list<".repeat(levels), ">".repeat(levels));
    assert!(deep.len() <= MAX_WIT_BYTES);
    let _ = read(&deep);
}

#[test]
fn what_is_no_component_is_refused() {
    assert_eq!(read(b"\0asm\x01\0\0\0"), Err(WitError::CoreModule));
    for bytes in [&b""[..], b"\0", b"\0asm", b"\0asm\x0d\0\x01", b"\0asm\x0d\0\x02\0", b"not wasm at all", b"\0asm\x01\0\x01\0"] {
        assert!(matches!(read(bytes), Err(WitError::Malformed(_))), "{bytes:?}: {:?}", read(bytes));
    }
    let empty = read(b"\0asm\x0d\0\x01\0").unwrap();
    assert!(empty.imports.is_empty() && empty.exports.is_empty() && empty.functions.is_empty());
    assert!(matches!(read(&vec![0; MAX_COMPONENT_BYTES + 1]), Err(WitError::TooLarge { .. })));

    let mut resolve = Resolve::default();
    let package = resolve.push_source("t.wit", "package t:t; interface i { f: func(); }").unwrap();
    assert_eq!(read(&wit_component::encode(&resolve, package).unwrap()), Err(WitError::WitPackage));
}

#[test]
fn nesting_that_would_exhaust_a_parser_is_refused() {
    // Component types in component types, each with one declaration that is the next.
    let types = |levels: usize, kind: u8| {
        let mut types = vec![1];
        types.extend([kind, 1, 1].repeat(levels));
        types.extend([kind, 0]);
        binary(&[(7, types)])
    };
    for kind in [0x41, 0x42] {
        read(&types(20, kind)).unwrap();
        for levels in [32, 1_000_000] {
            let error = read(&types(levels, kind)).unwrap_err();
            assert!(matches!(error, WitError::TooLarge { .. }), "{levels}: {error}");
        }
    }
    // The same behind other declarations, and components in components.
    let mut behind = vec![1, 0x42, 2, 0x04, 0x00, 1, b'a', 0x03, 0x00, 0x79, 0x01];
    behind.extend([0x42, 1, 1].repeat(100_000));
    assert!(matches!(read(&binary(&[(7, behind)])), Err(WitError::TooLarge { .. })));
    let mut component = binary(&[]);
    for _ in 0..40 {
        component = binary(&[(4, component)]);
    }
    assert!(matches!(read(&component), Err(WitError::TooLarge { .. })));
}

#[test]
fn long_chains_of_types_end_in_an_answer() {
    // (type u8-ish) then a list of the one before, over and over: nested as deep as there are types.
    let mut types = leb(50_000);
    types.push(0x7d);
    for index in 0..49_999 {
        types.push(0x70);
        types.extend(leb(index));
    }
    assert!(matches!(read(&binary(&[(7, types)])), Err(WitError::Malformed(_))));
}

#[test]
fn few_bytes_cannot_stand_for_endless_text() {
    // Tuples of two of the one before: 2^15 names written out, in a few hundred bytes of types.
    let doubling: String = (0..15).fold("string".to_owned(), |ty, _| format!("tuple<{ty}, {ty}>"));
    let start = Instant::now();
    let outcome = read(&component(&format!("package t:t; world w {{ export f: func(a: {doubling}); }}")));
    assert_eq!(outcome, Err(WitError::TooLarge { what: "the component's WIT in bytes", limit: MAX_WIT_BYTES }));
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// A component of raw sections (Component Model, Binary.md).
fn binary(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for (id, content) in sections {
        bytes.push(*id);
        bytes.extend(leb(content.len()));
        bytes.extend(content);
    }
    bytes
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

proptest! {
    /// Any damage to a component gives an answer: no panic, no hang.
    #[test]
    fn damaged_components_give_an_answer(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>()) {
        let whole = &*WHOLE;
        let mut damaged = whole.clone();
        for (at, byte) in damage {
            damaged[at.index(whole.len())] = byte;
        }
        let _ = read(&damaged);
        let _ = read(&whole[..cut.index(whole.len())]);
    }
}

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    component(
        "package t:t@0.1.0; interface i { record r { a: u8, b: list<string> } flags g { x, y } resource s { m: func(); } f: func(r: r, g: g) -> option<r>; }
         world w { import i; export i; export run: func() -> result<u64, tuple<char, f32>>; }",
    )
});
