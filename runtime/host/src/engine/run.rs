//! One call of one tool, in a fresh store, within its limits.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use serde_json::Value;
use skillhall_core::capability::files::{ASSETS, Access};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::failure::{Failure, FailureCode};
use wasmtime::component::Val;
use wasmtime::{CallHook, Store, StoreContextMut, UpdateDeadline};

use super::ending::{self, Stage};
use super::kill::KillHandle;
use super::limits::{Limits, to_usize};
use super::outcome::{Outcome, Resources, Used};
use super::prepare::Prepared;
use super::values::{self, ValueError};
use crate::sandbox::tools::Called;
use crate::sandbox::{Broker, Files, Folder, Given, Guest, Link, Reached, Replay, Requested, Reserved, SandboxLinks, Stop};

/// Bytes that one host call may bring out of the guest.
const HOST_CALL_BYTES: usize = 1 << 20;

/// The package's own assets, laid out for its guest.
#[derive(Clone, Debug)]
pub(crate) struct OwnAssets {
    /// The folder that holds them and nothing else.
    pub(crate) dir: Arc<OwnedFd>,
    /// Whether they are all the folders that the guest has.
    pub(crate) alone: bool,
}

/// What is to be run, and within what. Only who holds a recorded call makes one.
#[derive(Clone)]
pub(crate) struct Order {
    /// The component's code.
    pub(crate) prepared: Arc<Prepared>,
    /// `interface#function`, or a bare function.
    pub(crate) export: String,
    /// The tool's input: an object with one member for each parameter.
    pub(crate) input: Value,
    /// The budgets.
    pub(crate) limits: Limits,
    /// Which powers are linked beyond the base.
    pub(crate) links: SandboxLinks,
    /// What the guest is given as values.
    pub(crate) given: Given,
    /// By what its powers reach outside.
    pub(crate) broker: Arc<dyn Broker>,
    /// What no guest is given, whatever that broker hands over.
    pub(crate) reserved: Arc<Reserved>,
    /// The package's own assets, if it asked for them. A worker's guest has them among its folders.
    pub(crate) assets: Option<OwnAssets>,
    /// Fixed time and seed, to do a run again.
    pub(crate) replay: Option<Replay>,
}

/// What a run has used when it ends, however it ends: it is set even if nobody awaits the run to its end.
#[derive(Debug)]
pub(crate) struct Tally(Mutex<Told>);

/// What a run has used by now, to which origins its requests were to go, which skills it called, and which
/// addresses its sockets were to reach.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) used: Resources,
    pub(crate) http: Vec<Requested>,
    pub(crate) calls: Vec<Called>,
    pub(crate) sockets: Vec<Reached>,
}

impl Tally {
    /// Nothing used yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Told { used: Resources::none(limits), http: Vec::new(), calls: Vec::new(), sockets: Vec::new() }))
    }

    /// What the run did, as far as it is known.
    pub(crate) fn told(&self) -> Told {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, told: Told) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// Runs the order to its end: a value, a failure, or a stop by `kill`. The guest lives in a store of its own, which is
/// gone when this returns; nothing of it touches the next run.
///
/// Must be awaited in a tokio runtime with a timer, and with I/O if it may send requests. The future gives way every few
/// milliseconds while guest code runs. Dropping it ends the guest, and `tally` then tells what the guest had used.
pub(crate) async fn run(order: Order, kill: &KillHandle, tally: &Tally) -> Outcome {
    let start = Instant::now();
    let deadline = start.checked_add(Duration::from_millis(order.limits.time_ms)).unwrap_or(start);
    let input_bytes = json_bytes(&order.input);
    let store = match given(&order) {
        Ok(files) => {
            let guest = Guest::new(&order.limits.bounds(), order.replay.as_ref(), &order.given, files, &order.broker);
            store(&order, guest, kill, deadline)
        }
        Err(denial) => return never_began(&order.limits, Failure::new(FailureCode::Grant, denial.message)),
    };
    kill.attach(store.engine());
    let mut running = Running { store, order: &order, start, input_bytes, tally };
    let ticking = order.prepared.powered.ticker.run();

    let end = match admit(&order, input_bytes, kill) {
        Ok(()) => within_time(guarded(call(&mut running.store, &order)), kill, deadline, order.limits.time_ms).await,
        Err(failure) => Err(failure),
    };
    drop(ticking);
    running.finish(end)
}

/// A guest's store, which is measured when it goes.
struct Running<'a> {
    store: Store<Guest>,
    order: &'a Order,
    start: Instant,
    input_bytes: u64,
    tally: &'a Tally,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let guest = self.store.data();
        let meter = &guest.meter;
        let (http, calls, sockets) = (meter.traffic().origins(), meter.calls().to_vec(), meter.reached_addresses().to_vec());
        self.tally.set(Told { used: self.used(guest.given_out()), http, calls, sockets });
    }
}

/// What can be refused before anything is instantiated.
fn admit(order: &Order, input_bytes: u64, kill: &KillHandle) -> Result<(), Failure> {
    if let Some(reason) = kill.reason() {
        return Err(stopped(&reason.stop()));
    }
    if input_bytes > order.limits.input_bytes {
        let message = format!("the input has {input_bytes} bytes; its limit is {}", order.limits.input_bytes);
        return Err(Failure::new(FailureCode::Value, message));
    }
    if order.limits.fuel.is_some() && !order.prepared.counts_fuel() {
        let message = "the run has a fuel limit, and its code was prepared without fuel";
        return Err(Failure::new(FailureCode::Link, message));
    }
    Ok(())
}

fn given(order: &Order) -> Result<Files, Denial> {
    folders(order).map(Files::new)
}

/// The folders that were granted, as the broker opens them, none that is kept from every guest, whatever broker it is; the
/// package's own assets; and the secrets stand ready with the broker.
pub(crate) fn folders(order: &Order) -> Result<Vec<Folder>, Denial> {
    if order.given.secrets {
        order.broker.secrets(&order.reserved)?;
    }
    let mut folders = match (order.links.files, &order.assets) {
        (Link::Granted, Some(assets)) if assets.alone => Vec::new(),
        (Link::Granted, _) => order.broker.folders()?,
        (Link::Absent | Link::Empty, _) => return Ok(Vec::new()),
    };
    folders.iter().try_for_each(|folder| order.reserved.check(&folder.mount, &folder.dir))?;
    if let Some(assets) = &order.assets {
        let failed = |error| Denial::new(Code::CapabilityNotGranted, format!("{ASSETS} could not be opened: {error}"));
        let dir = assets.dir.try_clone().map_err(failed)?;
        folders.push(Folder { mount: ASSETS.to_owned(), dir, access: Access::Read });
    }
    Ok(folders)
}

/// The end of a run whose guest was never made.
pub(crate) fn never_began(limits: &Limits, failure: Failure) -> Outcome {
    Outcome {
        end: Err(failure),
        resources: Resources::none(limits),
        stdout: String::new(),
        stderr: String::new(),
        log: Vec::new(),
        http: Vec::new(),
        sockets: Vec::new(),
        calls: Vec::new(),
        refusals: Vec::new(),
    }
}

fn store(order: &Order, guest: Guest, kill: &KillHandle, deadline: Instant) -> Store<Guest> {
    let limits = &order.limits;
    let mut store = Store::new(&order.prepared.powered.engine, guest);
    store.limiter(|guest| &mut guest.meter);
    store.set_max_component_handles(to_usize(limits.handles));
    store.set_hostcall_fuel(HOST_CALL_BYTES);
    if order.prepared.counts_fuel() {
        // Fails only where fuel is not counted, and then there is none to set.
        let _ = store.set_fuel(limits.fuel.unwrap_or(u64::MAX));
    }
    let (kill, allowed_ms) = (kill.clone(), limits.time_ms);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if let Some(reason) = kill.reason() {
            return Err(reason.stop().into());
        }
        if Instant::now() >= deadline {
            return Err(Stop::Time { allowed_ms }.into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
    let result_bytes = to_usize(limits.elements).saturating_mul(size_of::<Val>()).saturating_add(to_usize(limits.output_bytes));
    let fuel = limits.fuel.filter(|_| order.prepared.counts_fuel());
    // How many crossings into the host are open. What crosses within a host call (the engine's own look at the clock, in a guest's
    // `realloc`) comes back into code that does not read its fuel again, so that what is taken there is not taken.
    let mut inside = 0_u32;
    store.call_hook(move |mut guest, crossing| {
        match crossing {
            CallHook::CallingHost => {
                inside = inside.saturating_add(1);
                guest.set_hostcall_fuel(HOST_CALL_BYTES);
                if fuel.is_some() {
                    let left = guest.get_fuel()?;
                    guest.data_mut().meter.fuel_left(left);
                }
            }
            // The tool's own result may be larger than what a host call brings.
            CallHook::ReturningFromWasm => guest.set_hostcall_fuel(result_bytes),
            CallHook::ReturningFromHost => {
                inside = inside.saturating_sub(1);
                guest.data().meter.check()?;
                if inside == 0 {
                    charge(&mut guest, fuel)?;
                }
            }
            CallHook::CallingWasm => {}
        }
        Ok(())
    });
    store
}

/// Takes the fuel of the host call that just ended, and that of skills that it called.
fn charge(guest: &mut StoreContextMut<'_, Guest>, fuel: Option<u64>) -> wasmtime::Result<()> {
    let meter = &mut guest.data_mut().meter;
    let cost = meter.uncharged_host_calls().saturating_mul(Limits::HOST_CALL_FUEL).saturating_add(meter.take_owed_fuel());
    if let Some(allowed) = fuel
        && cost > 0
    {
        let Some(rest) = guest.get_fuel()?.checked_sub(cost) else {
            guest.set_fuel(0)?;
            return Err(Stop::Fuel { allowed }.into());
        };
        guest.set_fuel(rest)?;
    }
    Ok(())
}

async fn call(store: &mut Store<Guest>, order: &Order) -> Result<Value, Failure> {
    let linked = order.prepared.linked(order.links).map_err(|error| Failure::new(FailureCode::Link, format!("{error:#}")))?;
    let Some(export) = order.prepared.export(&order.export) else {
        return Err(Failure::new(FailureCode::Link, format!("the component exports no '{}'", order.export)));
    };
    let instance = linked.instantiate_async(&mut *store).await.map_err(|error| ending::failure(&error, Stage::Instantiate))?;
    let Some(function) = instance.get_func(&mut *store, export) else {
        return Err(Failure::new(FailureCode::Link, format!("the export '{}' is no function", order.export)));
    };
    let ty = function.ty(&*store);
    let bounds = order.limits.values();
    let (arguments, extent) = values::lower_parameters(&order.input, ty.params(), bounds);
    store.data_mut().meter.value(extent.depth, extent.elements);
    let arguments = arguments.map_err(|error| unfit("input", &error))?;
    let result_type = ty.results().next();
    let mut results = vec![Val::Bool(false); ty.results().len()];
    let lists = result_type.as_ref().is_some_and(values::has_lists);
    function
        .call_async(&mut *store, &arguments, &mut results)
        .await
        .map_err(|error| ending::failure(&error, Stage::Call { lists }))?;
    // A host call that was the guest's last has no crossing after it at which it could be refused.
    store.data().meter.check().map_err(|stop| stopped(&stop))?;
    let (lifted, extent) = values::lift_result(results.first().zip(result_type.as_ref()), bounds);
    store.data_mut().meter.value(extent.depth, extent.elements);
    match lifted.map_err(|error| unfit("result", &error))? {
        Ok(value) => Ok(value),
        Err(error) => {
            let mut failure = Failure::new(FailureCode::Skill, "the skill returned its own error");
            failure.error = Some(Box::new(error));
            Err(failure)
        }
    }
}

/// The call, unless it is killed or the time is over first. Guest code looks at both by itself, so that its trap names
/// the functions; here they end what is awaited.
async fn within_time(
    call: impl Future<Output = Result<Value, Failure>>,
    kill: &KillHandle,
    deadline: Instant,
    allowed_ms: u64,
) -> Result<Value, Failure> {
    let mut call = pin!(call);
    tokio::select! {
        biased;
        end = &mut call => end,
        reason = kill.killed() => Err(stopped(&reason.stop())),
        () = tokio::time::sleep_until(deadline.into()) => {
            // Guest code that gave way a moment before is asked once more, and its own trap says where it was.
            let once = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
            if let Poll::Ready(end) = once { end } else { Err(stopped(&Stop::Time { allowed_ms })) }
        }
    }
}

/// A panic of the engine ends this run and no other.
async fn guarded(call: impl Future<Output = Result<Value, Failure>>) -> Result<Value, Failure> {
    let mut call = pin!(call);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Failure::new(FailureCode::Trap, "the engine panicked while it ran the skill"))))
    })
    .await
}

impl Running<'_> {
    fn finish(self, end: Result<Value, Failure>) -> Outcome {
        let limits = &self.order.limits;
        let written = self.store.data().written();
        let given = match &end {
            Ok(value) => json_bytes(value),
            Err(failure) => failure.error.as_deref().map_or(0, json_bytes),
        };
        let output = written.bytes.saturating_add(given);
        let end = if output > limits.output_bytes && (end.is_ok() || given > 0) {
            Err(stopped(&Stop::Output { allowed: limits.output_bytes }))
        } else {
            end
        };
        let meter = &self.store.data().meter;
        let (http, calls, sockets) = (meter.traffic().origins(), meter.calls().to_vec(), meter.reached_addresses().to_vec());
        let (refusals, resources) = (meter.refusals(), self.used(output));
        Outcome {
            end,
            resources,
            stdout: written.stdout,
            stderr: written.stderr,
            log: written.log,
            http,
            calls,
            sockets,
            refusals,
        }
    }

    /// What has been used by now; `output` is how many bytes were given out.
    fn used(&self, output: u64) -> Resources {
        let (limits, guest) = (&self.order.limits, self.store.data());
        let traffic = guest.meter.traffic();
        let online = self.order.links.http == Link::Granted || traffic.requests() > 0;
        let held = guest.stores.held();
        let (required, (depth, elements)) = (self.order.prepared.required(), guest.meter.values());
        let fuel = limits.fuel.and_then(|allowed| {
            let rest = self.store.get_fuel().ok()?;
            Some(Used { used: allowed.saturating_sub(rest), allowed })
        });
        Resources {
            wall_us: Used {
                used: u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX),
                allowed: limits.time_ms.saturating_mul(1000),
            },
            fuel,
            memory_peak_bytes: Used { used: guest.meter.memory_peak(), allowed: limits.memory_bytes },
            memories: required
                .as_ref()
                .map(|required| Used { used: u64::from(required.num_memories), allowed: limits.instances }),
            tables: required.map(|required| Used { used: u64::from(required.num_tables), allowed: limits.tables }),
            value_depth: Used { used: depth, allowed: limits.depth },
            value_elements: Used { used: elements, allowed: limits.elements },
            output_bytes: Used { used: output, allowed: limits.output_bytes },
            input_bytes: Used { used: self.input_bytes, allowed: limits.input_bytes },
            host_calls: Used { used: guest.meter.host_calls(), allowed: limits.host_calls },
            host_call_bytes: Used {
                used: guest.meter.bytes().saturating_add(guest.written_bytes()),
                allowed: limits.host_call_bytes,
            },
            file_opens: (self.order.links.files == Link::Granted || guest.meter.file_opens() > 0)
                .then(|| Used { used: guest.meter.file_opens(), allowed: limits.file_opens }),
            file_bytes: (self.order.links.files == Link::Granted)
                .then(|| Used { used: guest.meter.file_bytes(), allowed: limits.file_bytes }),
            sockets: (self.order.links.sockets == Link::Granted)
                .then(|| Used { used: guest.meter.sockets(), allowed: limits.sockets }),
            http_requests: online.then(|| Used { used: traffic.requests(), allowed: limits.http_requests }),
            http_bytes: online.then(|| Used { used: traffic.bytes(), allowed: limits.http_bytes }),
            tool_calls: (self.order.links.tools == Link::Granted)
                .then(|| Used { used: guest.meter.tool_calls(), allowed: limits.tool_calls }),
            keyvalue_bytes: held.map(|held| Used { used: held.usage.bytes, allowed: held.quota.bytes }),
            keyvalue_entries: held.map(|held| Used { used: held.usage.entries, allowed: held.quota.entries }),
        }
    }
}

pub(crate) fn stopped(stop: &Stop) -> Failure {
    Failure::new(stop.code(), stop.to_string())
}

fn unfit(what: &str, error: &ValueError) -> Failure {
    Failure::new(FailureCode::Value, format!("the {what} {error}"))
}

/// How long the value is as compact JSON, without writing it out.
pub(crate) fn json_bytes(value: &Value) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Writing a `Value` to something that takes everything does not fail; if it did, the figure must not be small.
    if serde_json::to_writer(&mut count, value).is_err() {
        return u64::MAX;
    }
    count.0
}
