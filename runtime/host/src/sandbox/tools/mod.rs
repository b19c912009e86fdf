//! `skillhall:tools`: calls of other skills. Whoever stands behind the broker takes each through every gate.
//!
//! Here stands the guest's side: each call is counted, what the run has left goes with it, and what the called skill used is
//! taken from that, so that nesting multiplies nothing.

pub(super) mod nested;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use super::meter::Meter;
use super::stdio::Output;
use super::{Broker, Guest};
use generated::skillhall::tools;

pub use nested::{Answer, CallError, Called, Calling, Calls, Refused, Request, Rest, Spent};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/tools/0.1.0",
        world: "imports",
        imports: { default: async | trappable },
    });
}

/// Whom to ask, and what counts the asking.
struct View<'a> {
    broker: &'a dyn Broker,
    output: &'a Output,
    meter: &'a mut Meter,
}

struct HasTools;

impl HasData for HasTools {
    type Data<'a> = View<'a>;
}

/// Links the interface over the guest's broker.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    tools::call::add_to_linker::<Guest, HasTools>(linker, |guest| {
        guest.meter.host_call();
        View { broker: &*guest.broker, output: &guest.output, meter: &mut guest.meter }
    })
}

impl tools::call::Host for View<'_> {
    async fn call(&mut self, skill: String, tool: String, input: String) -> Result<Result<String, tools::call::Error>> {
        self.meter.calling()?;
        let mut request = Request { skill, tool, input, rest: self.meter.rest(self.output.rest()) };
        self.meter.moving(request.bytes())?;
        request.rest = self.meter.rest(self.output.rest());
        self.meter.called(Called::begun(&request));
        let answer = self.broker.call(request).await;
        let brought = answer.bytes();
        self.meter.answered(answer.called);
        self.meter.spend(&answer.spent)?;
        self.output.spend(answer.spent.output_bytes);
        if let Some(refusal) = answer.refusal {
            self.meter.refused(*refusal);
        }
        self.meter.moving(brought)?;
        Ok(answer.end.map_err(told))
    }
}

fn told(error: CallError) -> tools::call::Error {
    match error {
        CallError::Denied { code, message, hint } => tools::call::Error::Denied(tools::call::Denial { code, message, hint }),
        CallError::Failed { code, message } => tools::call::Error::Failed(tools::call::Failure { code, message }),
        CallError::Skill(error) => tools::call::Error::Skill(error),
        CallError::Refused(refused) => tools::call::Error::Refused(match refused {
            Refused::Undeclared => tools::call::Refusal::Undeclared,
            Refused::Cycle => tools::call::Refusal::Cycle,
            Refused::TooDeep => tools::call::Refusal::TooDeep,
            Refused::Budget => tools::call::Refusal::Budget,
            Refused::Unavailable => tools::call::Refusal::Unavailable,
        }),
    }
}
