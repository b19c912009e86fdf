//! What a manifest declares, held against what its component imports: a power that nothing imports is declared for nothing.

use super::import::{ImportClass, PowerClass, imports};
use super::{Ask as _, Asks, clocks, env, secrets};

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The capability's name in skill.toml.
    pub capability: &'static str,
    /// What is asked, as a line; `empty` for what is linked empty.
    pub ask: String,
    /// Whether the component imports anything that could make use of it.
    pub imported: bool,
}

impl Asks {
    /// Each ask in the order of skill.toml, and whether a component with these imports could make use of it.
    #[must_use]
    pub fn declared(&self, component: &[String]) -> Vec<Declared> {
        let empty = self.empty().into_iter().map(|class| (class.as_str(), "empty".to_owned()));
        empty
            .chain(self.real())
            .map(|(capability, ask)| Declared { capability, ask, imported: component.iter().any(|name| uses(name, capability)) })
            .collect()
    }
}

/// Whether what comes with an import is what the capability widens.
fn uses(import: &str, capability: &str) -> bool {
    let interface = import.split('@').next().unwrap_or_default();
    match capability {
        env::Ask::CAPABILITY => interface == "wasi:cli/environment",
        clocks::Ask::CAPABILITY => matches!(interface, "wasi:clocks/monotonic-clock" | "wasi:clocks/wall-clock"),
        // The host puts secrets into requests, or shows them.
        secrets::Ask::CAPABILITY => {
            interface == "wasi:http/outgoing-handler" || matches!(imports(import), ImportClass::Power(PowerClass::Secrets))
        }
        _ => matches!(imports(import), ImportClass::Power(class) if class.as_str() == capability),
    }
}
