//! One file for each verb.

mod attest;
mod audit;
mod build;
mod certify;
mod explain;
mod inspect;
mod install;
mod keys;
mod publish;
mod quickstart;
mod run;
mod setup;
mod standing;
mod verify;
mod worker;

use clap::Subcommand;

use crate::error::Outcome;
use crate::exit::Exit;
use crate::hall::Place;
use crate::printer::Printer;

/// What can be asked of a hall.
#[derive(Subcommand)]
pub(crate) enum Verb {
    Quickstart(quickstart::Arguments),
    Setup(setup::Arguments),
    Build(build::Arguments),
    Attest(attest::Arguments),
    Certify(certify::Arguments),
    Publish(publish::Arguments),
    Install(install::Arguments),
    Run(run::Arguments),
    Verify(verify::Arguments),
    Inspect(inspect::Arguments),
    Revoke(standing::RevokeArguments),
    Ban(standing::BanArguments),
    Degrade(standing::DegradeArguments),
    Restore(standing::RestoreArguments),
    Audit(audit::Arguments),
    Keys(keys::Arguments),
    Worker(worker::Arguments),
    Explain(explain::Arguments),
}

/// Does what was asked.
pub(crate) async fn run(verb: Verb, place: &Place, printer: &Printer) -> Outcome {
    match verb {
        Verb::Quickstart(arguments) => quickstart::run(arguments, printer).await?,
        Verb::Setup(arguments) => setup::run(arguments, place, printer)?,
        Verb::Build(arguments) => build::run(&arguments, place, printer)?,
        Verb::Attest(arguments) => attest::run(&arguments, place, printer)?,
        Verb::Certify(arguments) => certify::run(&arguments, place, printer)?,
        Verb::Publish(arguments) => publish::run(&arguments, place, printer)?,
        Verb::Install(arguments) => install::run(&arguments, place, printer)?,
        Verb::Run(arguments) => return run::run(&arguments, place, printer).await,
        Verb::Verify(arguments) => verify::run(&arguments, place, printer)?,
        Verb::Inspect(arguments) => inspect::run(&arguments, place, printer)?,
        Verb::Revoke(arguments) => standing::revoke(&arguments, place, printer)?,
        Verb::Ban(arguments) => standing::ban(&arguments, place, printer)?,
        Verb::Degrade(arguments) => standing::degrade(&arguments, place, printer)?,
        Verb::Restore(arguments) => standing::restore(&arguments, place, printer)?,
        Verb::Audit(arguments) => audit::run(&arguments, place, printer)?,
        Verb::Keys(arguments) => keys::run(&arguments, place, printer)?,
        Verb::Worker(arguments) => worker::run(&arguments, place, printer)?,
        Verb::Explain(arguments) => explain::run(&arguments, printer)?,
    }
    Ok(Exit::Done)
}
