//! From JSON to component values.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use wasmtime::component::{Type, Val};

use super::{Extent, MAX_SAFE, ValueBounds, ValueError, Walk, is_bytes, is_nullable};

/// The arguments of a function from the input object: one member for each parameter, none beside them; a parameter that
/// is an option may be absent. An input that does not fit the parameters or the bounds
/// is an error. Beside either stands how large it is, as far as it was walked.
pub fn lower_parameters<'a>(
    input: &Value,
    parameters: impl Iterator<Item = (&'a str, Type)>,
    bounds: ValueBounds,
) -> (Result<Vec<Val>, ValueError>, Extent) {
    let mut walk = Walk::new(bounds);
    let Value::Object(members) = input else {
        let told = format!("an object with one member for each parameter is wanted, not {}", kind(input));
        return (walk.wrong(told), walk.extent());
    };
    let fields = named(members, parameters, &mut walk, "parameter");
    (fields.map(|fields| fields.into_iter().map(|(_, value)| value).collect()), walk.extent())
}

/// One value of the type.
///
/// # Errors
/// If the JSON does not fit the type or the bounds.
pub fn lower(json: &Value, ty: &Type, bounds: ValueBounds) -> Result<Val, ValueError> {
    value(json, ty, &mut Walk::new(bounds))
}

fn value(json: &Value, ty: &Type, walk: &mut Walk) -> Result<Val, ValueError> {
    walk.visit()?;
    match ty {
        Type::Bool => match json {
            Value::Bool(flag) => Ok(Val::Bool(*flag)),
            _ => unfit(json, "a boolean", walk),
        },
        Type::S8 => integer(json, walk).map(Val::S8),
        Type::U8 => integer(json, walk).map(Val::U8),
        Type::S16 => integer(json, walk).map(Val::S16),
        Type::U16 => integer(json, walk).map(Val::U16),
        Type::S32 => integer(json, walk).map(Val::S32),
        Type::U32 => integer(json, walk).map(Val::U32),
        Type::S64 => long(json, walk).map(Val::S64),
        Type::U64 => long(json, walk).map(Val::U64),
        Type::Float32 => float32(json, walk).map(Val::Float32),
        Type::Float64 => float64(json, walk).map(Val::Float64),
        Type::Char => character(json, walk).map(Val::Char),
        Type::String => text(json, walk).map(|text| Val::String(text.to_owned())),
        Type::List(list) if is_bytes(&list.ty()) => bytes(json, walk),
        Type::List(list) => items(json, &list.ty(), walk).map(Val::List),
        Type::FixedLengthList(list) => fixed(json, &list.ty(), list.len(), walk),
        Type::Map(map) => entries(json, &map.key(), &map.value(), walk),
        Type::Record(record) => match json {
            Value::Object(members) => {
                let fields = record.fields().map(|field| (field.name, field.ty));
                named(members, fields, walk, "field").map(Val::Record)
            }
            _ => unfit(json, "an object", walk),
        },
        Type::Tuple(tuple) => positional(json, tuple.types(), walk).map(Val::Tuple),
        Type::Variant(variant) => {
            let cases: Vec<_> = variant.cases().map(|case| (case.name, case.ty)).collect();
            case(json, &cases, walk)
        }
        Type::Enum(names) => {
            let name = text(json, walk)?;
            if names.names().any(|known| known == name) {
                return Ok(Val::Enum(name.to_owned()));
            }
            walk.wrong(format!("one of {} is wanted", listed(names.names())))
        }
        Type::Flags(flags) => flag_names(json, &flags.names().collect::<Vec<_>>(), walk),
        Type::Option(option) => maybe(json, &option.ty(), walk),
        Type::Result(result) => outcome(json, result.ok(), result.err(), walk),
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => {
            walk.wrong("a value of this type is no data and cannot be given")
        }
    }
}

fn integer<T: TryFrom<i128>>(json: &Value, walk: &Walk) -> Result<T, ValueError> {
    let number = match json {
        Value::Number(number) => whole(number),
        _ => return unfit(json, "an integer", walk),
    };
    match number.and_then(|number| T::try_from(number).ok()) {
        Some(integer) => Ok(integer),
        None => walk.wrong("an integer within the range of its type is wanted"),
    }
}

/// 64 bits: exact JSON integers, or decimal text.
fn long<T: TryFrom<i128>>(json: &Value, walk: &Walk) -> Result<T, ValueError> {
    let number = match json {
        Value::Number(number) => whole(number).filter(|number| number.abs() <= MAX_SAFE),
        Value::String(text) => decimal(text),
        _ => return unfit(json, "an integer or a decimal string", walk),
    };
    match number.and_then(|number| T::try_from(number).ok()) {
        Some(integer) => Ok(integer),
        None => walk.wrong("an integer within 2^53 - 1, or a decimal string within the range of its type, is wanted"),
    }
}

/// The number, if it has no fraction: `5.0` is the integer 5.
fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the guard keeps it exact")]
    (float.fract() == 0.0 && float.abs() <= MAX_SAFE as f64).then_some(float as i128)
}

/// `-?(0|[1-9][0-9]*)`, at most as long as 64 bits can be.
fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    (plain && (1..=20).contains(&digits.len())).then(|| text.parse().ok()).flatten()
}

fn float64(json: &Value, walk: &Walk) -> Result<f64, ValueError> {
    match json {
        Value::Number(number) => match number.as_f64().filter(|float| float.is_finite()) {
            Some(float) => Ok(float),
            None => walk.wrong("a finite number is wanted"),
        },
        Value::String(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            "-0" => Ok(-0.0),
            _ => walk.wrong("a number, \"NaN\", \"Infinity\", \"-Infinity\" or \"-0\" is wanted"),
        },
        _ => unfit(json, "a number", walk),
    }
}

fn float32(json: &Value, walk: &Walk) -> Result<f32, ValueError> {
    let wide = float64(json, walk)?;
    #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is what is meant")]
    let narrow = wide as f32;
    if narrow.is_infinite() && wide.is_finite() {
        return walk.wrong("the number is beyond the range of f32");
    }
    Ok(narrow)
}

fn character(json: &Value, walk: &Walk) -> Result<char, ValueError> {
    let mut characters = text(json, walk)?.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => walk.wrong("a string of exactly one character is wanted"),
    }
}

fn text<'a>(json: &'a Value, walk: &Walk) -> Result<&'a str, ValueError> {
    json.as_str().map_or_else(|| unfit(json, "a string", walk), Ok)
}

fn bytes(json: &Value, walk: &Walk) -> Result<Val, ValueError> {
    match STANDARD.decode(text(json, walk)?) {
        Ok(bytes) => Ok(Val::List(bytes.into_iter().map(Val::U8).collect())),
        Err(_) => walk.wrong("bytes are wanted as padded base64 (RFC 4648 section 4)"),
    }
}

fn array<'a>(json: &'a Value, walk: &Walk) -> Result<&'a [Value], ValueError> {
    match json {
        Value::Array(items) => Ok(items),
        _ => unfit(json, "an array", walk),
    }
}

fn items(json: &Value, element: &Type, walk: &mut Walk) -> Result<Vec<Val>, ValueError> {
    let items = array(json, walk)?.iter().enumerate();
    items.map(|(index, item)| walk.within(index, |walk| value(item, element, walk))).collect()
}

fn fixed(json: &Value, element: &Type, length: u32, walk: &mut Walk) -> Result<Val, ValueError> {
    let found = array(json, walk)?.len();
    if u32::try_from(found) != Ok(length) {
        return walk.wrong(format!("an array of exactly {length} elements is wanted, not of {found}"));
    }
    items(json, element, walk).map(Val::FixedLengthList)
}

fn entries(json: &Value, key: &Type, element: &Type, walk: &mut Walk) -> Result<Val, ValueError> {
    if matches!(key, Type::String) {
        let Value::Object(members) = json else { return unfit(json, "an object", walk) };
        let entries = members.iter().map(|(name, member)| {
            let member = walk.within(name, |walk| value(member, element, walk))?;
            Ok((Val::String(name.clone()), member))
        });
        return entries.collect::<Result<_, _>>().map(Val::Map);
    }
    let pairs = array(json, walk)?.iter().enumerate().map(|(index, pair)| {
        walk.within(index, |walk| match pair.as_array().map(Vec::as_slice) {
            Some([first, second]) => {
                Ok((walk.within(0, |walk| value(first, key, walk))?, walk.within(1, |walk| value(second, element, walk))?))
            }
            _ => walk.wrong("a pair of key and value is wanted"),
        })
    });
    pairs.collect::<Result<_, _>>().map(Val::Map)
}

fn positional(json: &Value, types: impl ExactSizeIterator<Item = Type>, walk: &mut Walk) -> Result<Vec<Val>, ValueError> {
    let items = array(json, walk)?;
    if items.len() != types.len() {
        return walk.wrong(format!("an array of exactly {} elements is wanted, not of {}", types.len(), items.len()));
    }
    let items = items.iter().zip(types).enumerate();
    items.map(|(index, (item, ty))| walk.within(index, |walk| value(item, &ty, walk))).collect()
}

/// The members of a record, or the parameters of a function.
fn named<'a>(
    members: &Map<String, Value>,
    fields: impl Iterator<Item = (&'a str, Type)>,
    walk: &mut Walk,
    what: &str,
) -> Result<Vec<(String, Val)>, ValueError> {
    let mut out = Vec::new();
    for (name, ty) in fields {
        let field = match (members.get(name), &ty) {
            (Some(member), _) => walk.within(name, |walk| value(member, &ty, walk))?,
            (None, Type::Option(_)) => Val::Option(None),
            (None, _) => return walk.wrong(format!("the {what} '{name}' is missing")),
        };
        out.push((name.to_owned(), field));
    }
    let known: BTreeSet<&str> = out.iter().map(|(name, _)| name.as_str()).collect();
    match members.keys().find(|name| !known.contains(name.as_str())) {
        Some(unknown) => walk.wrong(format!("there is no {what} '{}'", shown(unknown))),
        None => Ok(out),
    }
}

fn case(json: &Value, cases: &[(&str, Option<Type>)], walk: &mut Walk) -> Result<Val, ValueError> {
    let find = |name: &str| cases.iter().find(|(known, _)| *known == name);
    let names = || listed(cases.iter().map(|(name, _)| *name));
    match json {
        Value::String(name) => match find(name) {
            Some((name, None)) => Ok(Val::Variant((*name).to_owned(), None)),
            Some((name, Some(_))) => walk.wrong(format!("the case '{name}' has a payload: {{\"{name}\": ..}}")),
            None => walk.wrong(format!("one of {} is wanted", names())),
        },
        Value::Object(members) if members.len() == 1 => {
            let Some((name, payload)) = members.iter().next() else { return unfit(json, "a case", walk) };
            match find(name) {
                Some((name, Some(ty))) => {
                    let payload = walk.within(name, |walk| value(payload, ty, walk))?;
                    Ok(Val::Variant((*name).to_owned(), Some(Box::new(payload))))
                }
                Some((name, None)) => walk.wrong(format!("the case '{name}' has no payload: \"{name}\"")),
                None => walk.wrong(format!("one of {} is wanted", names())),
            }
        }
        _ => unfit(json, "a case's name, or an object with that one key,", walk),
    }
}

fn flag_names(json: &Value, known: &[&str], walk: &mut Walk) -> Result<Val, ValueError> {
    let mut set = BTreeSet::new();
    for (index, item) in array(json, walk)?.iter().enumerate() {
        walk.within(index, |walk| {
            walk.visit()?;
            let name = text(item, walk)?;
            if !known.contains(&name) {
                return walk.wrong(format!("one of {} is wanted", listed(known.iter().copied())));
            }
            if !set.insert(name) {
                return walk.wrong("a flag stands here twice");
            }
            Ok(())
        })?;
    }
    Ok(Val::Flags(known.iter().filter(|name| set.contains(*name)).map(|name| (*name).to_owned()).collect()))
}

fn maybe(json: &Value, ty: &Type, walk: &mut Walk) -> Result<Val, ValueError> {
    if json.is_null() {
        return Ok(Val::Option(None));
    }
    let some = if is_nullable(ty) {
        match single(json, "some") {
            Some(inner) => walk.within("some", |walk| value(inner, ty, walk))?,
            None => return unfit(json, "null or {\"some\": ..}", walk),
        }
    } else {
        value(json, ty, walk)?
    };
    Ok(Val::Option(Some(Box::new(some))))
}

fn outcome(json: &Value, ok: Option<Type>, err: Option<Type>, walk: &mut Walk) -> Result<Val, ValueError> {
    if let Some(inner) = single(json, "ok") {
        return walk.within("ok", |walk| payload(inner, ok, walk)).map(|value| Val::Result(Ok(value)));
    }
    if let Some(inner) = single(json, "error") {
        return walk.within("error", |walk| payload(inner, err, walk)).map(|value| Val::Result(Err(value)));
    }
    unfit(json, "{\"ok\": ..} or {\"error\": ..}", walk)
}

fn payload(json: &Value, ty: Option<Type>, walk: &mut Walk) -> Result<Option<Box<Val>>, ValueError> {
    match ty {
        Some(ty) => value(json, &ty, walk).map(|value| Some(Box::new(value))),
        None if json.is_null() => Ok(None),
        None => unfit(json, "null", walk),
    }
}

fn single<'a>(json: &'a Value, key: &str) -> Option<&'a Value> {
    json.as_object().filter(|members| members.len() == 1)?.get(key)
}

fn unfit<T>(json: &Value, wanted: &str, walk: &Walk) -> Result<T, ValueError> {
    walk.wrong(format!("{wanted} is wanted, not {}", kind(json)))
}

fn kind(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = names.take(32).map(|name| format!("\"{name}\"")).collect();
    all.join(", ")
}

/// A caller's own text in a message: a little of it.
fn shown(text: &str) -> String {
    text.chars().take(64).filter(|character| !character.is_control()).collect()
}
