//! The types that data can have in WIT, whatever crate parsed them.

use wit_parser::{Resolve, TypeDefKind};

use super::{Function, MAX_TYPE_DEPTH, MAX_TYPE_NODES};

/// A WIT type that can be data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `s16`
    S16,
    /// `s32`
    S32,
    /// `s64`
    S64,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`: one Unicode scalar value.
    Char,
    /// `string`
    String,
    /// `list<u8>`
    Bytes,
    /// `list<T>` of anything but `u8`.
    List(Box<Self>),
    /// `list<T, N>`: exactly N elements (of `u8` too).
    FixedList(Box<Self>, u32),
    /// `map<K, V>`
    Map(Box<Self>, Box<Self>),
    /// `record`, fields in declaration order.
    Record(Vec<Field>),
    /// `tuple<..>`
    Tuple(Vec<Self>),
    /// `variant`, cases in declaration order.
    Variant(Vec<Case>),
    /// `enum`: the cases' names in declaration order.
    Enum(Vec<String>),
    /// `option<T>`
    Option(Box<Self>),
    /// `result<T, E>`, each of which may be left out.
    Result {
        /// What comes with success.
        ok: Option<Box<Self>>,
        /// What comes with an error.
        err: Option<Box<Self>>,
    },
    /// `flags`: the flags' names in declaration order.
    Flags(Vec<String>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name as in WIT (kebab-case).
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its doc comment, if the WIT source was at hand.
    pub docs: Option<String>,
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name as in WIT (kebab-case).
    pub name: String,
    /// Its payload, if it has one.
    pub ty: Option<Type>,
    /// Its doc comment, if the WIT source was at hand.
    pub docs: Option<String>,
}

/// Makes our types of wit-parser's: one for each function, with that function's budget.
pub(super) struct Converter<'a> {
    resolve: &'a Resolve,
    nodes_left: usize,
    docs: bool,
}

impl<'a> Converter<'a> {
    /// Reads types without their doc comments.
    pub(super) fn new(resolve: &'a Resolve) -> Self {
        Self { resolve, nodes_left: MAX_TYPE_NODES, docs: false }
    }

    /// Reads types with their doc comments.
    pub(super) fn with_docs(resolve: &'a Resolve) -> Self {
        Self { docs: true, ..Self::new(resolve) }
    }

    /// A function under the name that it is exported by. One that cannot be a tool says why.
    pub(super) fn function(mut self, export: String, function: &wit_parser::Function) -> Function {
        let (params, result, refused) = match self.signature(function) {
            Ok((params, result)) => (params, result, None),
            Err(reason) => (Vec::new(), None, Some(reason)),
        };
        Function { export, name: function.name.clone(), params, result, docs: self.comment(&function.docs), refused }
    }

    fn signature(&mut self, function: &wit_parser::Function) -> Result<Signature, String> {
        if function.kind.resource().is_some() {
            return Err("it belongs to a resource, and a resource lives only inside a run".to_owned());
        }
        if function.kind.is_async() {
            return Err("it is async, and a tool is called and returns once".to_owned());
        }
        let mut params = Vec::new();
        for param in &function.params {
            let ty = self.ty(&param.ty, 1).map_err(|reason| format!("its parameter `{}` {reason}", param.name))?;
            params.push((param.name.clone(), ty));
        }
        let result = function.result.as_ref().map(|ty| self.ty(ty, 1)).transpose();
        Ok((params, result.map_err(|reason| format!("its result {reason}"))?))
    }

    fn ty(&mut self, ty: &wit_parser::Type, depth: usize) -> Result<Type, String> {
        use wit_parser::Type as W;
        if depth > MAX_TYPE_DEPTH {
            return Err(format!("has types nested deeper than {MAX_TYPE_DEPTH}"));
        }
        self.spend(1)?;
        Ok(match self.aliased(ty)? {
            W::Bool => Type::Bool,
            W::U8 => Type::U8,
            W::U16 => Type::U16,
            W::U32 => Type::U32,
            W::U64 => Type::U64,
            W::S8 => Type::S8,
            W::S16 => Type::S16,
            W::S32 => Type::S32,
            W::S64 => Type::S64,
            W::F32 => Type::F32,
            W::F64 => Type::F64,
            W::Char => Type::Char,
            W::String => Type::String,
            W::ErrorContext => return Err("holds an error-context, which is no data".to_owned()),
            W::Id(id) => {
                let resolve = self.resolve;
                let kind = &resolve.types.get(id).ok_or("names a type that is not there")?.kind;
                self.defined(kind, depth + 1)?
            }
        })
    }

    /// The type behind any number of names for it.
    fn aliased(&mut self, ty: &wit_parser::Type) -> Result<wit_parser::Type, String> {
        let mut ty = *ty;
        while let wit_parser::Type::Id(id) = ty {
            match self.resolve.types.get(id).map(|def| &def.kind) {
                Some(TypeDefKind::Type(target)) => ty = *target,
                _ => break,
            }
            self.spend(1)?;
        }
        Ok(ty)
    }

    fn defined(&mut self, kind: &TypeDefKind, depth: usize) -> Result<Type, String> {
        Ok(match kind {
            TypeDefKind::List(item) => match self.aliased(item)? {
                wit_parser::Type::U8 => Type::Bytes,
                item => Type::List(Box::new(self.ty(&item, depth)?)),
            },
            TypeDefKind::FixedLengthList(item, length) => Type::FixedList(Box::new(self.ty(item, depth)?), *length),
            TypeDefKind::Map(key, value) => Type::Map(Box::new(self.ty(key, depth)?), Box::new(self.ty(value, depth)?)),
            TypeDefKind::Record(record) => {
                let mut fields = Vec::new();
                for field in &record.fields {
                    let ty = self.ty(&field.ty, depth)?;
                    fields.push(Field { name: field.name.clone(), ty, docs: self.comment(&field.docs) });
                }
                Type::Record(fields)
            }
            TypeDefKind::Tuple(tuple) => Type::Tuple(tuple.types.iter().map(|ty| self.ty(ty, depth)).collect::<Result<_, _>>()?),
            TypeDefKind::Variant(variant) => {
                self.spend(variant.cases.len())?;
                let mut cases = Vec::new();
                for case in &variant.cases {
                    let ty = case.ty.as_ref().map(|ty| self.ty(ty, depth)).transpose()?;
                    cases.push(Case { name: case.name.clone(), ty, docs: self.comment(&case.docs) });
                }
                Type::Variant(cases)
            }
            TypeDefKind::Enum(cases) => {
                self.spend(cases.cases.len())?;
                Type::Enum(cases.cases.iter().map(|case| case.name.clone()).collect())
            }
            TypeDefKind::Flags(flags) => {
                self.spend(flags.flags.len())?;
                Type::Flags(flags.flags.iter().map(|flag| flag.name.clone()).collect())
            }
            TypeDefKind::Option(ty) => Type::Option(Box::new(self.ty(ty, depth)?)),
            TypeDefKind::Result(result) => {
                let mut side = |ty: &Option<wit_parser::Type>| ty.as_ref().map(|ty| self.ty(ty, depth).map(Box::new)).transpose();
                Type::Result { ok: side(&result.ok)?, err: side(&result.err)? }
            }
            TypeDefKind::Type(target) => self.ty(target, depth)?,
            TypeDefKind::Resource | TypeDefKind::Handle(_) => {
                return Err("holds a resource, which lives only inside a run and is no data".to_owned());
            }
            TypeDefKind::Future(_) => return Err("holds a future, which is no data".to_owned()),
            TypeDefKind::Stream(_) => return Err("holds a stream, which is no data".to_owned()),
            TypeDefKind::Unknown => return Err("holds a type that is not known".to_owned()),
        })
    }

    fn spend(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes_left =
            self.nodes_left.checked_sub(nodes).ok_or_else(|| format!("has more than {MAX_TYPE_NODES} types, written out"))?;
        Ok(())
    }

    fn comment(&self, docs: &wit_parser::Docs) -> Option<String> {
        let text = docs.contents.as_deref().filter(|_| self.docs)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

type Signature = (Vec<(String, Type)>, Option<Type>);
