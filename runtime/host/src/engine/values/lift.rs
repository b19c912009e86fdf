//! From component values to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use skillhall_core::json::sorted;
use wasmtime::component::{Type, Val};

use super::{Extent, MAX_SAFE, ValueBounds, ValueError, Walk, is_bytes, is_nullable};

/// What a tool gives back: the value of its result, or the error value of a top-level `result`. A value beyond the bounds, or of a
/// type that is no data, is an error. Members are sorted by name. Beside either stands how large it is, as far as it was walked.
pub fn lift_result(result: Option<(&Val, &Type)>, bounds: ValueBounds) -> (Lifted, Extent) {
    let Some((val, ty)) = result else { return (Ok(Ok(Value::Null)), Extent::default()) };
    let mut walk = Walk::new(bounds);
    let lifted = match (val, ty) {
        (Val::Result(Ok(ok)), Type::Result(types)) => payload(ok.as_deref(), types.ok(), &mut walk).map(sorted).map(Ok),
        (Val::Result(Err(err)), Type::Result(types)) => payload(err.as_deref(), types.err(), &mut walk).map(sorted).map(Err),
        _ => value(val, ty, &mut walk).map(sorted).map(Ok),
    };
    (lifted, walk.extent())
}

/// The value or the tool's own error, if it can be told.
pub type Lifted = Result<Result<Value, Value>, ValueError>;

/// One value of the type.
///
/// # Errors
/// If the value is beyond the bounds, not of the type, or of a type that is no data.
pub fn lift(val: &Val, ty: &Type, bounds: ValueBounds) -> Result<Value, ValueError> {
    value(val, ty, &mut Walk::new(bounds)).map(sorted)
}

fn value(val: &Val, ty: &Type, walk: &mut Walk) -> Result<Value, ValueError> {
    walk.visit()?;
    Ok(match (val, ty) {
        (Val::Bool(flag), _) => Value::Bool(*flag),
        (Val::S8(number), _) => (*number).into(),
        (Val::U8(number), _) => (*number).into(),
        (Val::S16(number), _) => (*number).into(),
        (Val::U16(number), _) => (*number).into(),
        (Val::S32(number), _) => (*number).into(),
        (Val::U32(number), _) => (*number).into(),
        (Val::S64(number), _) if i128::from(*number).abs() <= MAX_SAFE => (*number).into(),
        (Val::S64(number), _) => number.to_string().into(),
        (Val::U64(number), _) if i128::from(*number) <= MAX_SAFE => (*number).into(),
        (Val::U64(number), _) => number.to_string().into(),
        (Val::Float32(float), _) => float32(*float),
        (Val::Float64(float), _) => float64(*float),
        (Val::Char(character), _) => character.to_string().into(),
        (Val::String(text), _) => text.as_str().into(),
        (Val::List(items), Type::List(list)) if is_bytes(&list.ty()) => bytes(items, walk)?.into(),
        (Val::List(items), Type::List(list)) => array(items, &list.ty(), walk)?,
        (Val::FixedLengthList(items), Type::FixedLengthList(list)) => array(items, &list.ty(), walk)?,
        (Val::Map(entries), Type::Map(map)) => mapping(entries, &map.key(), &map.value(), walk)?,
        (Val::Record(fields), Type::Record(record)) => {
            let mut members = Map::new();
            for ((name, field), ty) in fields.iter().zip(record.fields()) {
                members.insert(name.clone(), walk.within(name, |walk| value(field, &ty.ty, walk))?);
            }
            Value::Object(members)
        }
        (Val::Tuple(items), Type::Tuple(tuple)) => {
            let items = items.iter().zip(tuple.types()).enumerate();
            let items = items.map(|(index, (item, ty))| walk.within(index, |walk| value(item, &ty, walk)));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        (Val::Variant(name, None) | Val::Enum(name), _) => name.as_str().into(),
        (Val::Variant(name, Some(inner)), Type::Variant(variant)) => {
            match variant.cases().find(|case| case.name == name).and_then(|case| case.ty) {
                Some(ty) => keyed(name, walk.within(name, |walk| value(inner, &ty, walk))?),
                None => return mismatch(walk),
            }
        }
        (Val::Option(None), _) => Value::Null,
        (Val::Option(Some(inner)), Type::Option(option)) if is_nullable(&option.ty()) => {
            keyed("some", walk.within("some", |walk| value(inner, &option.ty(), walk))?)
        }
        (Val::Option(Some(inner)), Type::Option(option)) => value(inner, &option.ty(), walk)?,
        (Val::Result(Ok(ok)), Type::Result(result)) => {
            keyed("ok", walk.within("ok", |walk| payload(ok.as_deref(), result.ok(), walk))?)
        }
        (Val::Result(Err(err)), Type::Result(result)) => {
            keyed("error", walk.within("error", |walk| payload(err.as_deref(), result.err(), walk))?)
        }
        (Val::Flags(names), Type::Flags(flags)) => {
            let set = flags.names().filter(|flag| names.iter().any(|name| name == flag));
            Value::Array(set.map(Value::from).collect())
        }
        _ => return mismatch(walk),
    })
}

fn payload(val: Option<&Val>, ty: Option<Type>, walk: &mut Walk) -> Result<Value, ValueError> {
    match (val, ty) {
        (None, _) => Ok(Value::Null),
        (Some(val), Some(ty)) => value(val, &ty, walk),
        (Some(_), None) => mismatch(walk),
    }
}

fn array(items: &[Val], element: &Type, walk: &mut Walk) -> Result<Value, ValueError> {
    let items = items.iter().enumerate();
    let items = items.map(|(index, item)| walk.within(index, |walk| value(item, element, walk)));
    Ok(Value::Array(items.collect::<Result<_, _>>()?))
}

fn bytes(items: &[Val], walk: &Walk) -> Result<String, ValueError> {
    let bytes: Option<Vec<u8>> = items.iter().map(|item| if let Val::U8(byte) = item { Some(*byte) } else { None }).collect();
    bytes.map_or_else(|| mismatch(walk), |bytes| Ok(STANDARD.encode(bytes)))
}

fn mapping(entries: &[(Val, Val)], key: &Type, element: &Type, walk: &mut Walk) -> Result<Value, ValueError> {
    if matches!(key, Type::String) {
        let mut members = Map::new();
        for (name, member) in entries {
            let Val::String(name) = name else { return mismatch(walk) };
            members.insert(name.clone(), walk.within(name, |walk| value(member, element, walk))?);
        }
        return Ok(Value::Object(members));
    }
    let pairs = entries.iter().enumerate().map(|(index, (first, second))| {
        walk.within(index, |walk| {
            let first = walk.within(0, |walk| value(first, key, walk))?;
            let second = walk.within(1, |walk| value(second, element, walk))?;
            Ok(Value::Array(vec![first, second]))
        })
    });
    Ok(Value::Array(pairs.collect::<Result<_, _>>()?))
}

fn float64(float: f64) -> Value {
    special(float).unwrap_or_else(|| float.into())
}

/// The shortest number that is this f32 again when read: 0.1, and not 0.10000000149011612.
fn float32(float: f32) -> Value {
    let wide = f64::from(float);
    special(wide).unwrap_or_else(|| float.to_string().parse::<f64>().unwrap_or(wide).into())
}

fn special(float: f64) -> Option<Value> {
    if float.is_nan() {
        return Some("NaN".into());
    }
    if float.is_infinite() {
        return Some(if float > 0.0 { "Infinity" } else { "-Infinity" }.into());
    }
    (float == 0.0 && float.is_sign_negative()).then(|| "-0".into())
}

fn keyed(key: &str, value: Value) -> Value {
    let mut members = Map::new();
    members.insert(key.to_owned(), value);
    Value::Object(members)
}

fn mismatch<T>(walk: &Walk) -> Result<T, ValueError> {
    walk.wrong("a value of this type is no data and cannot be given out")
}
