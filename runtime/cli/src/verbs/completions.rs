//! `hall completions`: what makes a shell complete verbs, options and their values.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use crate::error::{CommandError, Outcome};
use crate::printer::Printer;

/// Print the completions of a shell
#[derive(Args)]
#[command(
    after_help = "Examples:\n  source <(hall completions bash)              # this session\n  hall completions bash > ~/.local/share/bash-completion/completions/hall\n  hall completions zsh > \"${fpath[1]}/_hall\"\n  hall completions fish > ~/.config/fish/completions/hall.fish\n  hall completions elvish >> ~/.config/elvish/rc.elv\n  hall completions powershell >> $PROFILE"
)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Command::command(), "hall", &mut script);
    let script = String::from_utf8(script).map_err(|error| CommandError::Fault(error.into()))?;
    let object = json!({ "shell": arguments.shell.to_string(), "script": script });
    printer.result(&object, || script.lines().map(str::to_owned).collect());
    Ok(())
}
