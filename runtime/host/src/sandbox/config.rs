//! `wasi:config`: the values that were granted, by name and all at once in the order of their names.
//!
//! wasmtime-wasi-config answers from a hash map, whose order is another one at every start; a run that is done again has to
//! read the same.

use skillhall_core::capability::Ask as _;
use skillhall_core::capability::config::Grant;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use super::meter::Meter;
use super::{Broker, Guest};
use generated::wasi::config;

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:config@0.2.0-rc.1;
            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
                get-all: func() -> result<list<tuple<string, string>>, error>;
            }
            world imports { import store; }
        ",
        imports: { default: trappable },
    });
}

/// The values of one guest.
pub(super) struct Values {
    granted: Vec<Grant>,
}

impl Values {
    pub(super) fn new(granted: &[Grant]) -> Self {
        let mut granted = granted.to_vec();
        granted.sort_by(|one, other| one.name.cmp(&other.name));
        Self { granted }
    }
}

/// The values, and what counts the reading of them.
pub(super) struct View<'a> {
    values: &'a Values,
    broker: &'a dyn Broker,
    meter: &'a mut Meter,
}

struct HasConfig;

impl HasData for HasConfig {
    type Data<'a> = View<'a>;
}

/// Links the interface over the guest's values.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    config::store::add_to_linker::<Guest, HasConfig>(linker, |guest| {
        guest.meter.host_call();
        View { values: &guest.config, broker: &*guest.broker, meter: &mut guest.meter }
    })
}

impl View<'_> {
    fn told(&mut self, grant: &Grant) -> Result<String> {
        self.broker.touched(Grant::CAPABILITY, &grant.name);
        let text = grant.value.to_string();
        self.meter.moving(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
        Ok(text)
    }
}

impl config::store::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<Result<Option<String>, config::store::Error>> {
        let values = self.values;
        let found = values.granted.iter().find(|grant| grant.name == key);
        Ok(Ok(found.map(|grant| self.told(grant)).transpose()?))
    }

    fn get_all(&mut self) -> Result<Result<Vec<(String, String)>, config::store::Error>> {
        let values = self.values;
        let all = values.granted.iter().map(|grant| Ok((grant.name.clone(), self.told(grant)?)));
        Ok(Ok(all.collect::<Result<_>>()?))
    }
}
