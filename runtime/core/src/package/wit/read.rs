//! From a component's bytes to its [`Interface`].

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentType, ComponentTypeDeclaration, ComponentTypeRef, Encoding,
    InstanceTypeDeclaration, Parser, Payload, TypeBounds,
};
use wit_component::{DecodedWasm, Output, OutputToString, WitPrinter};
use wit_parser::{PackageId, Resolve, TypeDefKind, TypeId, WorldId, WorldItem};

use super::types::Converter;
use super::{Function, Interface, MAX_COMPONENT_BYTES, MAX_FUNCTIONS, MAX_WIT_BYTES, WitError};

/// What every WebAssembly file begins with (WebAssembly core specification 2.0, 5.5.16).
const MAGIC: &[u8] = b"\0asm";
/// Components inside components, and types inside types, in the binary form.
const MAX_NESTING: usize = 32;
/// Stack for the parsers of others, which recurse; only what is used of it is ever backed by memory.
const STACK_BYTES: usize = 256 << 20;

/// Reads what a component imports and exports.
///
/// Doc comments that the bytes may carry are not read: the same types always give the same interface.
///
/// # Errors
/// If the bytes are no component, a malformed one, or one over a bound. Never panics, whatever the bytes.
pub fn read(component: &[u8]) -> Result<Interface, WitError> {
    if component.len() > MAX_COMPONENT_BYTES {
        return Err(WitError::TooLarge { what: "the component's size in bytes", limit: MAX_COMPONENT_BYTES });
    }
    if !component.starts_with(MAGIC) {
        return Err(WitError::Malformed("it does not begin as every WebAssembly file does".to_owned()));
    }
    let outline = outline(component)?;
    on_a_deep_stack(|| {
        let (resolve, world) = match wit_component::decode(component) {
            Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
            Ok(DecodedWasm::WitPackage(..)) => return Err(WitError::WitPackage),
            Err(error) => return Err(WitError::Malformed(brief(&format!("{error:#}")))),
        };
        let functions = functions(&resolve, world)?;
        let wit = print(&resolve, world)?;
        let types_only = types_only(&resolve, world);
        Ok(Interface { imports: outline.imports, types_only, exports: outline.exports, functions, wit })
    })?
}

/// Runs code that recurses over a stranger's input on a stack that its bounded input cannot exhaust. A panic there is an error here.
pub(super) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, WitError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("wit".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| WitError::Fault(format!("no thread for it: {error}")))?
            .join()
            .map_err(|_| WitError::Malformed("the parser gave up on it".to_owned()))
    })
}

/// The first line or so of a message that may hold a stranger's text.
pub(super) fn brief(message: &str) -> String {
    const CHARS: usize = 400;
    let mut brief: String = message.chars().take(CHARS).collect();
    if brief.len() < message.len() {
        brief.push_str(" ..");
    }
    brief
}

/// The names at the component's own surface, as they stand in its bytes.
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Walks over the sections without recursion, and refuses nesting that would make the parsers of others recurse too deep.
fn outline(component: &[u8]) -> Result<Outline, WitError> {
    let mut outline = Outline { imports: Vec::new(), exports: Vec::new() };
    let mut nesting = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| malformed(&error))? {
            Payload::Version { encoding, .. } => {
                if nesting == 0 && encoding == Encoding::Module {
                    return Err(WitError::CoreModule);
                }
                nesting += 1;
                if nesting > MAX_NESTING {
                    return Err(WitError::TooLarge { what: "the nesting of components in the component", limit: MAX_NESTING });
                }
            }
            Payload::End(_) => nesting = nesting.saturating_sub(1),
            Payload::ComponentTypeSection(section) => {
                let range = section.range();
                bound_type_nesting(component.get(range.clone()).unwrap_or_default(), range.start).map_err(
                    |fault| match fault {
                        Nesting::TooDeep => {
                            WitError::TooLarge { what: "the nesting of types in the component", limit: MAX_NESTING }
                        }
                        Nesting::Malformed(error) => malformed(&error),
                    },
                )?;
            }
            Payload::ComponentImportSection(section) if nesting == 1 => {
                for import in section {
                    let import = import.map_err(|error| malformed(&error))?;
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        outline.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if nesting == 1 => {
                for export in section {
                    let export = export.map_err(|error| malformed(&error))?;
                    if export.kind != wasmparser::ComponentExternalKind::Type {
                        outline.exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    outline.imports.sort();
    outline.exports.sort();
    Ok(outline)
}

fn malformed(error: &BinaryReaderError) -> WitError {
    WitError::Malformed(brief(&error.to_string()))
}

enum Nesting {
    TooDeep,
    Malformed(BinaryReaderError),
}

impl From<BinaryReaderError> for Nesting {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// Walks a section of component types (Component Model, Binary.md, "type definitions"): `wasmparser` reads component and
/// instance types inside each other by recursion without a bound.
fn bound_type_nesting(section: &[u8], offset: usize) -> Result<(), Nesting> {
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    const IMPORT_DECLARATION: u8 = 0x03;
    const TYPE_DECLARATION: u8 = 0x01;

    let mut reader = BinaryReader::new(section, offset);
    // What is open: its kind (0 for the section itself) and how many entries are still to come.
    let mut open = vec![(0_u8, reader.read_var_u32()?)];
    while let Some((kind, left)) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let kind = *kind;
        if kind != 0 {
            let first = peek(&reader)?;
            if kind == COMPONENT && first == IMPORT_DECLARATION {
                reader.read::<ComponentTypeDeclaration<'_>>()?;
                continue;
            }
            if first != TYPE_DECLARATION {
                reader.read::<InstanceTypeDeclaration<'_>>()?;
                continue;
            }
            reader.read_u8()?;
        }
        match peek(&reader)? {
            nested @ (COMPONENT | INSTANCE) => {
                reader.read_u8()?;
                if open.len() >= MAX_NESTING {
                    return Err(Nesting::TooDeep);
                }
                open.push((nested, reader.read_var_u32()?));
            }
            _ => {
                reader.read::<ComponentType<'_>>()?;
            }
        }
    }
    Ok(())
}

fn peek(reader: &BinaryReader<'_>) -> Result<u8, BinaryReaderError> {
    reader.clone().read_u8()
}

fn types_only(resolve: &Resolve, world: WorldId) -> Vec<String> {
    let holds_types_only = |interface: &wit_parser::Interface| {
        interface.functions.is_empty() && !interface.types.values().any(|id| is_resource(resolve, *id))
    };
    let imports = resolve.worlds.get(world).map(|world| &world.imports);
    let mut names: Vec<String> = imports
        .into_iter()
        .flatten()
        .filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } => resolve.interfaces.get(*id).filter(|found| holds_types_only(found)).map(|_| key),
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        })
        .map(|key| resolve.name_world_key(key))
        .collect();
    names.sort();
    names
}

/// Whether a type is a resource, be it by another name.
fn is_resource(resolve: &Resolve, mut id: TypeId) -> bool {
    loop {
        match resolve.types.get(id).map(|ty| &ty.kind) {
            Some(TypeDefKind::Type(wit_parser::Type::Id(other))) => id = *other,
            Some(TypeDefKind::Resource) | None => return true,
            Some(_) => return false,
        }
    }
}

fn functions(resolve: &Resolve, world: WorldId) -> Result<Vec<Function>, WitError> {
    let mut functions = Vec::new();
    let Some(world) = resolve.worlds.get(world) else { return Ok(functions) };
    for (key, item) in &world.exports {
        match item {
            WorldItem::Function(function) => functions.push(Converter::new(resolve).function(function.name.clone(), function)),
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                for function in resolve.interfaces.get(*id).into_iter().flat_map(|interface| interface.functions.values()) {
                    if functions.len() >= MAX_FUNCTIONS {
                        break;
                    }
                    functions.push(Converter::new(resolve).function(format!("{interface}#{}", function.name), function));
                }
            }
            WorldItem::Type { .. } => {}
        }
        if functions.len() >= MAX_FUNCTIONS {
            return Err(WitError::TooLarge { what: "the number of exported functions", limit: MAX_FUNCTIONS - 1 });
        }
    }
    functions.sort_by(|one, other| one.export.cmp(&other.export));
    Ok(functions)
}

/// The world with the packages it uses. WASI's packages are known to everybody, so they are named and not repeated.
fn print(resolve: &Resolve, world: WorldId) -> Result<String, WitError> {
    let main = resolve.worlds.get(world).and_then(|world| world.package);
    let main = main.ok_or_else(|| WitError::Malformed("its world belongs to no package".to_owned()))?;
    let mut nested: Vec<PackageId> = resolve
        .packages
        .iter()
        .filter(|(id, package)| *id != main && package.name.namespace != "wasi")
        .map(|(id, _)| id)
        .collect();
    nested.sort_by_key(|id| resolve.packages.get(*id).map(|package| package.name.to_string()));

    let mut printer = WitPrinter::new(Bounded { text: OutputToString::default(), left: MAX_WIT_BYTES, over: false });
    printer.emit_docs(false);
    printer.print(resolve, main, &nested).map_err(|error| WitError::Malformed(brief(&format!("{error:#}"))))?;
    if printer.output.over {
        return Err(WitError::TooLarge { what: "the component's WIT in bytes", limit: MAX_WIT_BYTES });
    }
    Ok(printer.output.text.to_string())
}

/// Text that stops growing at its bound: few bytes of component can stand for very much WIT.
struct Bounded {
    text: OutputToString,
    left: usize,
    over: bool,
}

impl Bounded {
    fn spend(&mut self, bytes: usize) -> bool {
        self.over |= bytes > self.left;
        self.left = self.left.saturating_sub(bytes);
        !self.over
    }
}

impl Output for Bounded {
    fn push_str(&mut self, text: &str) {
        if self.spend(text.len()) {
            self.text.push_str(text);
        }
    }

    fn indent_if_needed(&mut self) -> bool {
        !self.over && self.text.indent_if_needed()
    }

    fn indent_start(&mut self) {
        if self.spend(3) {
            self.text.indent_start();
        }
    }

    fn indent_end(&mut self) {
        if self.spend(2) {
            self.text.indent_end();
        }
    }

    fn newline(&mut self) {
        if self.spend(1) {
            self.text.newline();
        }
    }
}
