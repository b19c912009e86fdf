//! What hall.toml says about budgets: one table of names and of the most that can be said.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($name:ident <= $ceiling:literal, $doc:literal;)*) => {
        /// Host maximums. What is absent takes the runtime's own maximum.
        ///
        /// Of memory, time, fuel and output a skill asks for its own share and gets at most this; of everything else every skill
        /// gets this. What begins with `compile` is for making its code.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct LimitsSection {
            $(#[doc = $doc] #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<u64>,)*
        }

        impl LimitsSection {
            /// No figure is larger than what the runtime can hold.
            pub(super) fn validate(&self) -> Result<(), String> {
                for (name, value, ceiling) in [$((stringify!($name), self.$name, $ceiling)),*] {
                    if value.is_some_and(|value| value > ceiling) {
                        return Err(format!("limits.{name} is at most {ceiling}"));
                    }
                }
                Ok(())
            }
        }
    };
}

limits! {
    memory_bytes <= 9_007_199_254_740_991, "Bytes of all memories and tables of a run together.";
    time_ms <= 9_007_199_254_740_991, "Milliseconds of wall clock of a call.";
    fuel <= 9_007_199_254_740_991, "Units of fuel.";
    output_bytes <= 9_007_199_254_740_991, "Bytes of result, logs and streams of a call together.";
    input_bytes <= 4_194_304, "Bytes of the input of a call.";
    host_calls <= 1_000_000_000, "Calls of host functions in a run.";
    host_call_bytes <= 1_099_511_627_776, "Bytes that the host calls of a run move, those of files and requests among them.";
    file_opens <= 1_000_000, "Files and folders that a run opens or makes.";
    file_bytes <= 1_099_511_627_776, "Bytes that a run writes into files, and by which it makes them longer without writing.";
    sockets <= 1_000, "TCP and UDP sockets that a run makes.";
    http_requests <= 10_000, "Requests of a run, those that are refused among them.";
    http_bytes <= 1_099_511_627_776, "Bytes of the requests and responses of a run together.";
    http_time_ms <= 3_600_000, "Milliseconds of wall clock of one request.";
    tool_calls <= 1_000, "Calls of other skills in a run, those that the called skills make and those that are refused among them.";
    tool_depth <= 8, "How deep calls of skills by skills nest: 1 lets a skill call others that call none.";
    handles <= 100_000, "Resources that a run holds at once, and as many handles.";
    depth <= 64, "Nesting of a value that goes in or comes out.";
    compile_time_ms <= 9_007_199_254_740_991, "Milliseconds that compiling one component may take.";
    compile_memory_bytes <= 9_007_199_254_740_991, "Bytes of memory that the process may have that compiles one component.";
    elements <= 100_000_000, "Elements of a value that goes in or comes out.";
}
