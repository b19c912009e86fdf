//! `wasi:http`, outgoing. Linked empty, a guest can build a request, and every request is refused; [`granted`] is the other.
//!
//! The functions are defined by the component's own import types, so that a runtime which merely mentions the interfaces
//! (as most JavaScript components do) can be instantiated. Nothing here knows how to reach a network.

#[cfg(feature = "http")]
pub(super) mod granted;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceDynamic, ResourceType, Type, Val};
use wasmtime::{Error, Result, StoreContextMut};

use super::{Guest, Stop};

const TYPES: &str = "wasi:http/types@0.2.";
const OUTGOING: &str = "wasi:http/outgoing-handler@0.2.";

/// The resources of `wasi:http/types`. A resource's place in this list is its type on the host's side.
const RESOURCES: [&str; 11] = [
    "fields",
    "incoming-request",
    "outgoing-request",
    "request-options",
    "response-outparam",
    "incoming-response",
    "incoming-body",
    "future-trailers",
    "outgoing-response",
    "outgoing-body",
    "future-incoming-response",
];

/// What can be built without reaching anything. All else of the interface needs an answer that never comes.
const BUILDABLE: [&str; 3] = ["fields", "outgoing-request", "request-options"];

/// Links those functions of `wasi:http/types` and `wasi:http/outgoing-handler` that the component imports.
pub(super) fn link_empty(linker: &mut Linker<Guest>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    let ty = component.component_type();
    for (name, import) in ty.imports(&engine) {
        let known = [TYPES, OUTGOING].iter().any(|interface| is_version_of(name, interface));
        if let ComponentItem::ComponentInstance(interface) = &import.ty
            && known
        {
            let mut instance = linker.instance(name)?;
            for (name, export) in interface.exports(&engine) {
                define(&mut instance, name, &export.ty)?;
            }
        }
    }
    Ok(())
}

/// `wasi:http/types@0.2.` and then digits only.
fn is_version_of(name: &str, interface: &str) -> bool {
    let patch = name.strip_prefix(interface);
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

fn define(instance: &mut LinkerInstance<'_, Guest>, name: &str, item: &ComponentItem) -> Result<()> {
    match item {
        ComponentItem::Resource(_) => match resource(name) {
            // A handle stands for nothing on the host's side, so there is nothing to destroy.
            Some(kind) => instance.resource(name, ResourceType::host_dynamic(kind), |mut guest, _| {
                guest.data_mut().meter.host_call();
                Ok(())
            }),
            // A resource of wasi:io, which the base has defined.
            None => Ok(()),
        },
        ComponentItem::ComponentFunc(_) => {
            let answers = can_answer(name);
            let told = name.to_owned();
            instance.func_new(name, move |mut guest, ty, arguments, results| {
                guest.data_mut().meter.host_call();
                release(&mut guest, arguments)?;
                if !answers {
                    return Err(Error::from(Stop::Refused { interface: "wasi:http" }).context(told.clone()));
                }
                answer(&mut guest, &ty, results)
            })
        }
        _ => Ok(()),
    }
}

fn resource(name: &str) -> Option<u32> {
    let place = RESOURCES.iter().position(|known| *known == name)?;
    u32::try_from(place).ok()
}

fn can_answer(function: &str) -> bool {
    if function == "handle" {
        return true;
    }
    let of = function
        .strip_prefix("[constructor]")
        .or_else(|| function.strip_prefix("[method]").and_then(|method| method.split('.').next()));
    of.is_some_and(|resource| BUILDABLE.contains(&resource))
}

/// Gives back the handles that came with the call, as every host function must.
fn release(guest: &mut StoreContextMut<'_, Guest>, arguments: &[Val]) -> Result<()> {
    for argument in arguments {
        match argument {
            Val::Resource(handle) => {
                handle.try_into_resource_dynamic(&mut *guest)?;
            }
            Val::Option(Some(inner)) => release(guest, std::slice::from_ref(inner))?,
            _ => {}
        }
    }
    Ok(())
}

/// The answer of something that takes everything and holds nothing; for a request, that it is denied.
fn answer(guest: &mut StoreContextMut<'_, Guest>, ty: &ComponentFunc, results: &mut [Val]) -> Result<()> {
    for (result, ty) in results.iter_mut().zip(ty.results()) {
        *result = nothing(guest, &ty)?;
    }
    Ok(())
}

fn nothing(guest: &mut StoreContextMut<'_, Guest>, ty: &Type) -> Result<Val> {
    Ok(match ty {
        Type::Bool => Val::Bool(false),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Own(resource) => own(guest, resource)?,
        Type::Variant(variant) => match variant.cases().find(|case| case.ty.is_none()) {
            Some(case) => Val::Variant(case.name.to_owned(), None),
            None => return refused(),
        },
        Type::Result(types) => match (types.ok(), types.err()) {
            (None, _) => Val::Result(Ok(None)),
            (Some(_), None) => Val::Result(Err(None)),
            (Some(_), Some(Type::Variant(errors))) => {
                match errors.cases().find(|case| case.name == "HTTP-request-denied" && case.ty.is_none()) {
                    Some(denied) => Val::Result(Err(Some(Box::new(Val::Variant(denied.name.to_owned(), None))))),
                    None => return refused(),
                }
            }
            _ => return refused(),
        },
        _ => return refused(),
    })
}

fn own(guest: &mut StoreContextMut<'_, Guest>, ty: &ResourceType) -> Result<Val> {
    let kinds = 0..u32::try_from(RESOURCES.len()).unwrap_or(0);
    match kinds.into_iter().find(|kind| ResourceType::host_dynamic(*kind) == *ty) {
        Some(kind) => Ok(Val::Resource(ResourceDynamic::new_own(0, kind).try_into_resource_any(guest)?)),
        None => refused(),
    }
}

fn refused<T>() -> Result<T> {
    Err(Stop::Refused { interface: "wasi:http" }.into())
}
