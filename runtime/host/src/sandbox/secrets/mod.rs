//! `skillhall:secrets`: the values that a guest may see. It is linked only if the manifest and the policy say `reveal`.
//!
//! All other secrets are none of the guest's: the broker reads them (`held`, `file`) and puts them into the requests that
//! it sends ([`egress`](super::egress)).

mod file;
pub(super) mod held;
mod value;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use super::meter::Meter;
use super::{Broker, Guest};
use generated::skillhall::secrets;

pub use file::check;
pub use value::SecretValue;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/secrets/0.1.0",
        world: "imports",
        imports: { default: trappable },
    });
}

/// Whom to ask for a value, and what counts the asking.
pub(super) struct View<'a> {
    broker: &'a dyn Broker,
    meter: &'a mut Meter,
}

struct HasSecrets;

impl HasData for HasSecrets {
    type Data<'a> = View<'a>;
}

/// Links the interface over the guest's broker.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    secrets::reveal::add_to_linker::<Guest, HasSecrets>(linker, |guest| {
        guest.meter.host_call();
        View { broker: &*guest.broker, meter: &mut guest.meter }
    })
}

impl secrets::reveal::Host for View<'_> {
    fn get(&mut self, name: String) -> Result<Option<String>> {
        let Some(value) = self.broker.reveal(&name) else { return Ok(None) };
        let value = value.expose();
        self.meter.moving(u64::try_from(value.len()).unwrap_or(u64::MAX))?;
        Ok(Some(value.to_owned()))
    }
}
