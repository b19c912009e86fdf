//! `hall bindings`: what a language without a componentiser of its own is compiled with.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use wit_bindgen_core::Files;
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

use crate::error::{CommandError, Outcome};
use crate::printer::Printer;

/// Write the bindings of a skill's world, for its own build command
#[derive(Args)]
#[command(
    after_help = "A build command finds this command by the variable HALL. What is compiled with the bindings is a core module, of which \
                  `hall build` makes the component.\n\nExamples:\n  hall bindings c                                   # wit/ into build/\n  \"$HALL\" bindings c --wit wit --world skill --out build --quiet"
)]
pub(crate) struct Arguments {
    /// The language
    #[arg(value_name = "LANGUAGE")]
    language: Language,
    /// The folder with the world's WIT, and what it uses in deps/
    #[arg(long, value_name = "FOLDER", default_value = "wit")]
    wit: PathBuf,
    /// The world; if the package has one alone, that
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Where the files go
    #[arg(long, value_name = "FOLDER", default_value = "build")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// C: a header, its source, and an object file with the type of the component
    C,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let Language::C = arguments.language;
    let (wit, world) = (arguments.wit.clone(), arguments.world.clone());
    // A world with types that the generator does not know ends it by a panic.
    let made =
        catch_unwind(|| made(&wit, world.as_deref())).map_err(|_| Unmade("a type of the world has no form in C".to_owned()));
    let files = made.and_then(|made| made).map_err(|Unmade(why)| {
        CommandError::usage(
            format!("no bindings can be made of {}: {why}", arguments.wit.display()),
            "mend the WIT; `hall bindings --help`",
        )
    })?;
    let mut names = Vec::new();
    for (name, bytes) in files.iter() {
        let path = arguments.out.join(name);
        // What did not change is left as it is, so that what was compiled of it still counts.
        if std::fs::read(&path).is_ok_and(|there| there == bytes) {
            names.push(name.to_owned());
            continue;
        }
        let written = std::fs::create_dir_all(&arguments.out).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| {
            CommandError::usage(format!("{} cannot be written: {error}", path.display()), "give another folder with --out")
        })?;
        names.push(name.to_owned());
    }
    let result = json!({ "out": arguments.out.display().to_string(), "files": names });
    printer.result(&result, || vec![format!("{} in {}", names.join(", "), arguments.out.display())]);
    Ok(())
}

/// Why there are none.
struct Unmade(String);

fn made(wit: &Path, world: Option<&str>) -> Result<Files, Unmade> {
    let because = |error: anyhow::Error| Unmade(format!("{error:#}"));
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).map_err(because)?;
    let world = resolve.select_world(&[package], world).map_err(because)?;
    let options = wit_bindgen_c::Opts { rename: short(&resolve, world), ..wit_bindgen_c::Opts::default() };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).map_err(because)?;
    Ok(files)
}

/// What the skill offers by its last name, where only one interface has it: `exports_api_count`, whatever the skill is called. What it
/// imports keeps its whole name.
fn short(resolve: &Resolve, world: WorldId) -> Vec<(String, String)> {
    let Some(world) = resolve.worlds.get(world) else { return Vec::new() };
    let named = world.exports.iter().filter_map(|(key, item)| match (key, item) {
        (WorldKey::Interface(id), WorldItem::Interface { .. }) => {
            Some((resolve.name_world_key(key), resolve.interfaces.get(*id)?.name.clone()?))
        }
        _ => None,
    });
    let named: Vec<(String, String)> = named.collect();
    let is_alone = |name: &str| named.iter().filter(|(_, other)| other == name).count() == 1;
    named.iter().filter(|(_, name)| is_alone(name)).map(|(key, name)| (key.clone(), name.replace('-', "_"))).collect()
}
