//! The types of the sources, as they are written: found by name through each file's `use` lines.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Item, LitStr, Token, Type, UseTree, parenthesized};

/// What a name stands for.
pub enum Kind {
    Struct(syn::ItemStruct),
    Enum(syn::ItemEnum),
    Alias(Type),
    /// An id that begins so; `child` ids name their order, too.
    Id {
        prefix: String,
        child: bool,
    },
    /// A name that people choose.
    Code,
}

pub struct Definition {
    pub name: String,
    /// Of its file: `order::state`.
    pub module: String,
    pub docs: String,
    pub kind: Kind,
}

/// One line of the table of events.
pub struct EventType {
    pub name: String,
    pub docs: String,
    pub payload: Type,
}

#[derive(Default)]
pub struct Sources {
    definitions: Vec<Definition>,
    /// By module: what each name was imported from.
    uses: BTreeMap<String, BTreeMap<String, String>>,
    pub events: Vec<EventType>,
}

impl Sources {
    /// Takes up every file below a folder, or one file.
    ///
    /// # Errors
    /// When a file cannot be read or is no Rust.
    pub fn read(&mut self, root: &Path, path: &Path) -> Result<()> {
        if path.is_dir() {
            let mut entries: Vec<_> = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?.iter().map(|entry| entry.path()).collect();
            entries.sort();
            return entries.iter().try_for_each(|entry| self.read(root, entry));
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            return Ok(());
        }
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        let inside = path.strip_prefix(root)?.with_extension("");
        let module = inside.to_string_lossy().replace('/', "::").trim_end_matches("::mod").to_owned();
        for item in file.items {
            self.take(&module, item)?;
        }
        Ok(())
    }

    fn take(&mut self, module: &str, item: Item) -> Result<()> {
        let mut define = |name: &Ident, attributes: &[Attribute], kind| {
            let docs = docs(attributes);
            self.definitions.push(Definition { name: name.to_string(), module: module.to_owned(), docs, kind });
        };
        match item {
            Item::Struct(item) => define(&item.ident.clone(), &item.attrs.clone(), Kind::Struct(item)),
            Item::Enum(item) => define(&item.ident.clone(), &item.attrs.clone(), Kind::Enum(item)),
            Item::Type(item) => define(&item.ident, &item.attrs, Kind::Alias(*item.ty)),
            Item::Use(item) => imports(&item.tree, "", self.uses.entry(module.to_owned()).or_default()),
            Item::Macro(item) => {
                let of = item.mac.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match of.as_str() {
                    "numbered" | "child" => {
                        let named: Named = item.mac.parse_body()?;
                        define(&named.name, &named.attributes, Kind::Id { prefix: named.text, child: of == "child" });
                    }
                    "code" => {
                        let named: Named = item.mac.parse_body()?;
                        define(&named.name, &named.attributes, Kind::Code);
                    }
                    "events" => self.events = item.mac.parse_body::<Table>()?.0,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub fn all(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }

    /// What `path` means in a module.
    ///
    /// # Errors
    /// When there is no such type, or more than one that it could be.
    pub fn resolve(&self, module: &str, path: &syn::Path) -> Result<&Definition> {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        let (name, before) = parts.split_last().context("a type without a name")?;
        let here = |known: &&Definition| known.name == *name && known.module == module;
        if before.is_empty()
            && let Some(found) = self.definitions.iter().find(here)
        {
            return Ok(found);
        }
        let imported = self.uses.get(module).and_then(|uses| uses.get(&parts[0]));
        let prefix = match imported {
            Some(path) if before.is_empty() => path.rsplit_once("::").map_or("", |(prefix, _)| prefix).to_owned(),
            Some(path) => [path.as_str()].into_iter().chain(before[1..].iter().map(String::as_str)).collect::<Vec<_>>().join("::"),
            None if ["crate", "super", "domain"].contains(&parts[0].as_str()) => before.join("::"),
            // A module below this one: `catalog::ItemCreated` in `event`.
            None => format!("{module}::{}", before.join("::")),
        };
        let prefix = absolute(module, &prefix);
        let inside = |known: &&Definition| known.module == prefix || known.module.starts_with(&format!("{prefix}::"));
        let mut found = self.definitions.iter().filter(|known| known.name == *name).filter(inside);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => bail!("{module}: there is no type {}", parts.join("::")),
            (Some(one), Some(other)) => bail!("{module}: {name} may be of {} or of {}", one.module, other.module),
        }
    }
}

fn absolute(module: &str, path: &str) -> String {
    if let Some(rest) = path.strip_prefix("crate").or_else(|| path.strip_prefix("domain")) {
        return rest.trim_start_matches("::").to_owned();
    }
    match path.strip_prefix("super") {
        Some(rest) => {
            let above = module.rsplit_once("::").map_or("", |(above, _)| above);
            [above, rest.trim_start_matches("::")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::")
        }
        None => path.trim_end_matches("::").to_owned(),
    }
}

fn imports(tree: &UseTree, before: &str, into: &mut BTreeMap<String, String>) {
    let join = |name: &Ident| if before.is_empty() { name.to_string() } else { format!("{before}::{name}") };
    match tree {
        UseTree::Path(path) => imports(&path.tree, &join(&path.ident), into),
        UseTree::Name(name) => drop(into.insert(name.ident.to_string(), join(&name.ident))),
        UseTree::Rename(renamed) => drop(into.insert(renamed.rename.to_string(), join(&renamed.ident))),
        UseTree::Group(group) => group.items.iter().for_each(|tree| imports(tree, before, into)),
        UseTree::Glob(_) => {}
    }
}

/// What `///` says, in one line.
pub fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let syn::Meta::NameValue(meta) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &meta.value else { return None };
        Some(text.value().trim().to_owned())
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    // Links of rustdoc are read as code.
    text.replace("[`", "`").replace("`]", "`").replace("crate::limits::", "").trim().to_owned()
}

/// `$(#[doc])* Name, "text"`, as the macros of ids take it.
struct Named {
    attributes: Vec<Attribute>,
    name: Ident,
    text: String,
}

impl Parse for Named {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let name = input.parse()?;
        input.parse::<Token![,]>()?;
        let text = input.parse::<LitStr>()?.value();
        Ok(Self { attributes, name, text })
    }
}

/// `$(#[doc])* Variant(payload) = "name", |e| subject;`, line by line.
struct Table(Vec<EventType>);

impl Parse for Table {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut events = Vec::new();
        while !input.is_empty() {
            let docs = docs(&input.call(Attribute::parse_outer)?);
            input.parse::<Ident>()?;
            let inner;
            parenthesized!(inner in input);
            let payload = inner.parse()?;
            input.parse::<Token![=]>()?;
            let name = input.parse::<LitStr>()?.value();
            input.parse::<Token![,]>()?;
            input.parse::<syn::Expr>()?;
            input.parse::<Token![;]>()?;
            events.push(EventType { name, docs, payload });
        }
        Ok(Self(events))
    }
}

/// The texts of a constant list, like `const NEVER: &[&str] = &["a", "b"];`.
///
/// # Errors
/// When the file has no such constant.
pub fn texts(path: &Path, name: &str) -> Result<Vec<String>> {
    let file = syn::parse_file(&std::fs::read_to_string(path)?)?;
    let found = file.items.iter().find_map(|item| match item {
        Item::Const(item) if item.ident == name => Some(&item.expr),
        _ => None,
    });
    let Some(syn::Expr::Reference(reference)) = found.map(|expression| &**expression) else { bail!("{}: no list {name}", path.display()) };
    let syn::Expr::Array(array) = &*reference.expr else { bail!("{}: {name} is no list", path.display()) };
    let texts = array.elems.iter().map(|element| match element {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Ok(text.value()),
        _ => bail!("{}: {name} has more than texts", path.display()),
    });
    texts.collect()
}
