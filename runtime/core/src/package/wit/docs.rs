//! Doc comments from WIT source: a built component no longer has them.

use std::collections::BTreeMap;
use std::path::Path;

use wit_parser::{Resolve, SourceMap, UnresolvedPackageGroup, WorldItem};

use super::read::{brief, on_a_deep_stack};
use super::types::{Converter, Type};
use super::{Function, Interface, MAX_FUNCTIONS, MAX_WIT_BYTES, WitError};

/// The doc comments of a skill's `wit/` folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// By export name without its version.
    functions: BTreeMap<String, Function>,
}

impl Docs {
    /// Reads the files of a `wit/` folder: `*.wit` are one package, and each `deps/NAME.wit` or folder `deps/NAME/` is one that it uses.
    /// Names are paths from the folder with `/`; anything that is no `.wit` file is passed over.
    ///
    /// # Errors
    /// If the files are over [`MAX_WIT_BYTES`] together, or do not parse or resolve.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, WitError> {
        if files.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>() > MAX_WIT_BYTES {
            return Err(WitError::TooLarge { what: "the WIT text in bytes", limit: MAX_WIT_BYTES });
        }
        on_a_deep_stack(|| Ok(Self { functions: documented(&resolve(files)?) }))?
    }

    /// The doc comment of an exported function; a version in the name does not matter.
    #[must_use]
    pub fn function(&self, export: &str) -> Option<&str> {
        self.functions.get(&without_version(export))?.docs.as_deref()
    }

    /// Gives an interface's functions, and the fields and cases of their types, the comments they had in the source. Types never
    /// change: where the source says another type than the component, only the function's own comment is taken.
    pub fn apply(&self, interface: &mut Interface) {
        for function in &mut interface.functions {
            let Some(source) = self.functions.get(&without_version(&function.export)) else { continue };
            function.docs.clone_from(&source.docs);
            for (name, ty) in &mut function.params {
                if let Some((_, source)) = source.params.iter().find(|(source, _)| source == name) {
                    comment(ty, source);
                }
            }
            if let (Some(ty), Some(source)) = (&mut function.result, &source.result) {
                comment(ty, source);
            }
        }
    }
}

fn resolve(files: &BTreeMap<String, String>) -> Result<Resolve, WitError> {
    let mut main = SourceMap::new();
    let mut deps: BTreeMap<&str, SourceMap> = BTreeMap::new();
    let mut any = false;
    for (name, text) in files.iter().filter(|(name, _)| Path::new(name).extension().is_some_and(|extension| extension == "wit")) {
        if let Some(dep) = name.strip_prefix("deps/") {
            deps.entry(dep.split('/').next().unwrap_or(dep)).or_default().push_str(name, text.as_str());
        } else {
            any = true;
            main.push_str(name, text.as_str());
        }
    }
    let mut resolve = Resolve::new();
    if !any {
        return Ok(resolve);
    }
    let main = parse(main)?;
    let deps = deps.into_values().map(parse).collect::<Result<_, _>>()?;
    resolve.push_groups(main, deps).map_err(|error| WitError::Text(brief(&error.to_string())))?;
    Ok(resolve)
}

fn parse(sources: SourceMap) -> Result<UnresolvedPackageGroup, WitError> {
    sources.parse().map_err(|(sources, error)| WitError::Text(brief(&error.render(&sources))))
}

fn documented(resolve: &Resolve) -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::new();
    let mut keep = |export: String, function: &wit_parser::Function| {
        if functions.len() < MAX_FUNCTIONS {
            let export = without_version(&export);
            let function = Converter::with_docs(resolve).function(export.clone(), function);
            functions.entry(export).or_insert(function);
        }
    };
    for (_, world) in &resolve.worlds {
        for (key, item) in &world.exports {
            match item {
                WorldItem::Function(function) => keep(function.name.clone(), function),
                WorldItem::Interface { id, .. } => {
                    let name = resolve.name_world_key(key);
                    for function in resolve.interfaces.get(*id).into_iter().flat_map(|interface| interface.functions.values()) {
                        keep(format!("{name}#{}", function.name), function);
                    }
                }
                WorldItem::Type { .. } => {}
            }
        }
    }
    for (id, interface) in &resolve.interfaces {
        let Some(name) = resolve.id_of(id) else { continue };
        for function in interface.functions.values() {
            keep(format!("{name}#{}", function.name), function);
        }
    }
    functions
}

/// `a:b/c@1.0.0#f` and `a:b/c#f` are one name.
fn without_version(export: &str) -> String {
    let (path, function) = export.split_once('#').map_or((export, None), |(path, function)| (path, Some(function)));
    let path = path.split_once('@').map_or(path, |(path, _)| path);
    function.map_or_else(|| path.to_owned(), |function| format!("{path}#{function}"))
}

fn comment(ty: &mut Type, source: &Type) {
    match (ty, source) {
        (Type::List(ty), Type::List(source))
        | (Type::FixedList(ty, _), Type::FixedList(source, _))
        | (Type::Option(ty), Type::Option(source)) => comment(ty, source),
        (Type::Map(key, value), Type::Map(source_key, source_value)) => {
            comment(key, source_key);
            comment(value, source_value);
        }
        (Type::Record(fields), Type::Record(source)) => {
            for field in fields {
                if let Some(source) = source.iter().find(|source| source.name == field.name) {
                    field.docs.clone_from(&source.docs);
                    comment(&mut field.ty, &source.ty);
                }
            }
        }
        (Type::Tuple(types), Type::Tuple(source)) => types.iter_mut().zip(source).for_each(|(ty, source)| comment(ty, source)),
        (Type::Variant(cases), Type::Variant(source)) => {
            for case in cases {
                if let Some(source) = source.iter().find(|source| source.name == case.name) {
                    case.docs.clone_from(&source.docs);
                    if let (Some(ty), Some(source)) = (&mut case.ty, &source.ty) {
                        comment(ty, source);
                    }
                }
            }
        }
        (Type::Result { ok, err }, Type::Result { ok: source_ok, err: source_err }) => {
            for (side, source) in [(ok, source_ok), (err, source_err)] {
                if let (Some(ty), Some(source)) = (side, source) {
                    comment(ty, source);
                }
            }
        }
        _ => {}
    }
}
