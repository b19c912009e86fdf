//! The component in bare wasmtime: the host's own settings of the engine, nothing governed.

use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, Store, Strategy, WasmBacktraceDetails};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::governed::Governed;

const INTERFACE: &str = "skillhall:redact/api@1.0.0";

pub(crate) struct Bare {
    engine: Engine,
    code: Vec<u8>,
    ready: InstancePre<Guest>,
    component: Component,
}

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Bare {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let engine = Engine::new(&configuration()).expect("the engine starts");
        let component = Component::from_binary(&engine, bytes).expect("the component compiles");
        let code = component.serialize().expect("compiled code can be written");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI is linked");
        let ready = linker.instantiate_pre(&component).expect("the component is linked");
        Self { engine, code, ready, component }
    }

    /// What the hall keeps compiled holds the very code that runs here, so both were made with the same settings.
    pub(crate) fn runs_the_same_code_as(&self, governed: &Governed) {
        let kept = governed.compiled_code();
        assert!(
            kept.windows(self.code.len()).any(|window| window == self.code),
            "the host's settings of the engine are not those of benches/governed_call/bare.rs"
        );
    }

    /// A fresh store and instance, one call, and the end of both.
    pub(crate) async fn call(&self, text: &str) {
        let guest = Guest { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, guest);
        store.set_epoch_deadline(u64::MAX / 2);
        let interface = self.component.get_export_index(None, INTERFACE).expect("the interface is exported");
        let function = self.component.get_export_index(Some(&interface), "redact").expect("the function is exported");
        let instance = self.ready.instantiate_async(&mut store).await.expect("it is instantiated");
        let function = instance.get_func(&mut store, function).expect("it is a function");
        let mut results = [Val::Bool(false)];
        let arguments = [Val::String(text.to_owned()), Val::Option(None)];
        function.call_async(&mut store, &arguments, &mut results).await.expect("it returns");
        assert!(matches!(&results[0], Val::Result(Ok(Some(_)))), "{results:?}");
    }
}

/// As `runtime/host/src/engine/engines.rs` has it, without fuel.
fn configuration() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .consume_fuel(false)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .async_stack_zeroing(true)
        .concurrency_support(false)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_shared_everything_threads(false)
        .wasm_stack_switching(false)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .shared_memory(false);
    config
}
