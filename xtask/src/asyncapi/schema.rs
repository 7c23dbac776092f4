//! From Rust types to JSON Schema, as serde writes them.

use super::sources::{Definition, Kind, Sources, docs};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use syn::{Attribute, Fields, GenericArgument, PathArguments, Type};

/// What a sealed member opens to for subscriptions with `personal_data`; all of it is left out for others.
pub enum Opens {
    /// Text in its own place.
    Text,
    /// The members of this type, in the place of the sealed one.
    Members(&'static str, &'static str),
    /// Nothing: a secret of the shop.
    Never,
}

const SEALED: &[(&str, &str, Opens)] = &[
    ("Buyer", "details", Opens::Members("server::src::http::orders::place", "CustomerBody")),
    ("CustomerSaved", "details", Opens::Members("server::src::http::orders::place", "CustomerBody")),
    ("ShipTo", "details", Opens::Members("server::src::http::orders::place", "Whereabouts")),
    ("Order", "note", Opens::Text),
    ("SupplierWebhook", "secret", Opens::Never),
    ("AlertRouting", "webhook", Opens::Never),
    ("Secret", "sealed", Opens::Never),
];
const OPENED: &str = "Personal: only with personal_data.";

pub struct Schemas<'a> {
    sources: &'a Sources,
    /// Members that never leave the shop.
    never: Vec<String>,
    pub made: BTreeMap<String, Value>,
}

/// What serde is told of a type, a variant or a member.
#[derive(Default)]
struct Serde {
    tag: Option<String>,
    rename: Option<String>,
    snake: bool,
    /// It may be missing.
    optional: bool,
    flatten: bool,
}

impl Serde {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut told = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                let text = if meta.input.peek(syn::Token![=]) { Some(meta.value()?.parse::<syn::LitStr>()?.value()) } else { None };
                match (name.as_str(), text) {
                    ("tag", text) => told.tag = text,
                    ("rename", text) => told.rename = text,
                    ("rename_all", Some(rule)) if rule == "snake_case" => told.snake = true,
                    ("default" | "skip_serializing_if", _) => told.optional = true,
                    ("flatten", None) => told.flatten = true,
                    ("transparent" | "deny_unknown_fields", None) => {}
                    (other, _) => return Err(meta.error(format!("serde's {other} is not known here"))),
                }
                Ok(())
            })?;
        }
        Ok(told)
    }

    fn named(&self, name: &str, snake: bool) -> String {
        self.rename.clone().unwrap_or_else(|| if snake { snake_case(name) } else { name.to_owned() })
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

impl<'a> Schemas<'a> {
    pub fn new(sources: &'a Sources, never: Vec<String>) -> Self {
        Self { sources, never, made: BTreeMap::new() }
    }

    /// The schema of a type as a module names it; types of ours are made once and referred to.
    ///
    /// # Errors
    /// When something of it is not known here.
    pub fn of(&mut self, module: &str, kind: &Type) -> Result<Value> {
        let path = match kind {
            Type::Reference(reference) => return self.of(module, &reference.elem),
            Type::Path(path) => &path.path,
            _ => bail!("{module}: a type that is no path"),
        };
        let last = path.segments.last().context("a path has a segment")?;
        let inner: Vec<&Type> = match &last.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().filter_map(|one| if let GenericArgument::Type(one) = one { Some(one) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        Ok(match (last.ident.to_string().as_str(), inner.as_slice()) {
            ("Option", [inner]) => {
                let schema = self.of(module, inner)?;
                json!({"oneOf": [schema, {"type": "null"}]})
            }
            ("Box" | "Arc", [inner]) => self.of(module, inner)?,
            ("Vec" | "BTreeSet", [inner]) => json!({"type": "array", "items": self.of(module, inner)?}),
            ("BTreeMap", [_, inner]) => json!({"type": "object", "additionalProperties": self.of(module, inner)?}),
            ("bool", []) => json!({"type": "boolean"}),
            ("u8" | "u16" | "u32" | "u64" | "usize", []) => json!({"type": "integer", "minimum": 0}),
            ("i8" | "i16" | "i32" | "i64", []) => json!({"type": "integer"}),
            ("String" | "SmolStr" | "str", []) => json!({"type": "string"}),
            ("Timestamp", []) => json!({"type": "string", "format": "date-time"}),
            ("Date", []) => json!({"type": "string", "format": "date"}),
            ("Currency", []) => json!({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."}),
            ("ReturnId", []) => json!({"type": "string", "pattern": format!("^ret_{DIGITS}+(-{DIGITS}+)?$")}),
            ("DeliveryId", []) => json!({"type": "string", "pattern": format!("^(ntf_{DIGITS}+-{DIGITS}+|po_{DIGITS}+)$")}),
            _ => self.ours(self.sources.resolve(module, path)?)?,
        })
    }

    fn ours(&mut self, definition: &'a Definition) -> Result<Value> {
        Ok(match &definition.kind {
            Kind::Alias(kind) => self.of(&definition.module, kind)?,
            Kind::Id { prefix, child: false } => json!({"type": "string", "pattern": format!("^{prefix}{DIGITS}+$")}),
            Kind::Id { prefix, child: true } => json!({"type": "string", "pattern": format!("^{prefix}{DIGITS}+-{DIGITS}+$")}),
            Kind::Code => json!({"type": "string", "minLength": 1}),
            Kind::Struct(item) => match &item.fields {
                // Counts and amounts are what is inside.
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => self.of(&definition.module, &fields.unnamed[0].ty)?,
                Fields::Named(_) => self.refer(definition)?,
                Fields::Unnamed(_) | Fields::Unit => bail!("{}: {} has no members", definition.module, definition.name),
            },
            Kind::Enum(_) => self.refer(definition)?,
        })
    }

    /// Makes the schema of a type under its name, and a reference to it.
    fn refer(&mut self, definition: &'a Definition) -> Result<Value> {
        let same = |other: &&Definition| other.name == definition.name && other.module != definition.module;
        let room = definition.module.rsplit("::").find(|part| *part != "state").unwrap_or_default();
        let name = if self.sources.all().any(|other| same(&other) && !matches!(other.kind, Kind::Alias(_))) {
            format!("{room}.{}", definition.name)
        } else {
            definition.name.clone()
        };
        if !self.made.contains_key(&name) {
            // Stands in for itself while it is made.
            self.made.insert(name.clone(), Value::Null);
            let mut schema = self.make(definition).with_context(|| format!("{}::{}", definition.module, definition.name))?;
            if !definition.docs.is_empty() {
                schema["description"] = json!(definition.docs);
            }
            self.made.insert(name.clone(), schema);
        }
        Ok(json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    fn make(&mut self, definition: &'a Definition) -> Result<Value> {
        match &definition.kind {
            Kind::Struct(item) => self.members(definition, &item.fields, &Serde::of(&item.attrs)?, None),
            Kind::Enum(item) => {
                let told = Serde::of(&item.attrs)?;
                let plain = item.variants.iter().all(|variant| variant.fields.is_empty());
                let name = |variant: &syn::Variant| Ok(Serde::of(&variant.attrs)?.named(&variant.ident.to_string(), told.snake));
                if plain && told.tag.is_none() {
                    let names = item.variants.iter().map(name).collect::<Result<Vec<String>>>()?;
                    return Ok(json!({"type": "string", "enum": names}));
                }
                let mut choices = Vec::new();
                for variant in &item.variants {
                    let mut choice = self.variant(definition, variant, &told, &name(variant)?)?;
                    let about = docs(&variant.attrs);
                    if !about.is_empty() {
                        choice["description"] = json!(about);
                    }
                    choices.push(choice);
                }
                Ok(json!({"oneOf": choices}))
            }
            Kind::Alias(_) | Kind::Id { .. } | Kind::Code => bail!("is made in place"),
        }
    }

    fn variant(&mut self, definition: &'a Definition, variant: &'a syn::Variant, told: &Serde, name: &str) -> Result<Value> {
        let inner = |schemas: &mut Self| match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => schemas.of(&definition.module, &fields.unnamed[0].ty),
            Fields::Named(_) => schemas.members(definition, &variant.fields, &Serde::default(), None),
            Fields::Unnamed(_) | Fields::Unit => bail!("{name} is a tuple"),
        };
        match (&told.tag, &variant.fields) {
            (Some(tag), Fields::Unnamed(fields)) if fields.unnamed.len() == 1 => {
                let tagged = json!({"type": "object", "required": [tag], "properties": {tag: {"const": name}}});
                Ok(json!({"allOf": [tagged, inner(self)?]}))
            }
            (Some(tag), _) => self.members(definition, &variant.fields, &Serde::default(), Some((tag, name))),
            (None, Fields::Unit) => Ok(json!({"const": name})),
            (None, _) => Ok(json!({"type": "object", "required": [name], "properties": {name: inner(self)?}})),
        }
    }

    /// An object with these members; what is flattened into it stands beside them.
    fn members(&mut self, of: &'a Definition, fields: &'a Fields, whole: &Serde, tag: Option<(&String, &str)>) -> Result<Value> {
        let (mut properties, mut required, mut beside) = (Map::new(), Vec::new(), Vec::new());
        if let Some((tag, name)) = tag {
            properties.insert(tag.clone(), json!({"const": name}));
            required.push(tag.clone());
        }
        for field in fields {
            let ident = field.ident.as_ref().context("members have names")?.to_string();
            let told = Serde::of(&field.attrs)?;
            let name = told.named(ident.trim_start_matches("r#"), false);
            if self.never.contains(&name) {
                continue;
            }
            let kind = under_option(&field.ty);
            if is_named(kind, "Sealed") {
                self.sealed(of, &name, &mut properties)?;
                continue;
            }
            if told.flatten {
                beside.push(self.of(&of.module, kind)?);
                continue;
            }
            let optional = told.optional || whole.optional;
            // What is left out when there is none is never null.
            let mut schema = self.of(&of.module, if told.optional { kind } else { &field.ty })?;
            let about = docs(&field.attrs);
            if !about.is_empty() {
                schema = if schema.get("$ref").is_some() { json!({"allOf": [schema]}) } else { schema };
                schema["description"] = json!(about);
            }
            if !optional {
                required.push(name.clone());
            }
            properties.insert(name, schema);
        }
        let mut own = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            own["required"] = json!(required);
        }
        if beside.is_empty() {
            return Ok(own);
        }
        beside.insert(0, own);
        Ok(json!({"allOf": beside}))
    }

    fn sealed(&mut self, of: &Definition, name: &str, properties: &mut Map<String, Value>) -> Result<()> {
        let known = SEALED.iter().find(|(kind, member, _)| *kind == of.name && *member == name);
        let Some((_, _, opens)) = known else { bail!("say in SEALED what {}.{name} opens to", of.name) };
        match opens {
            Opens::Never => {}
            Opens::Text => drop(properties.insert(name.to_owned(), json!({"type": "string", "description": OPENED}))),
            Opens::Members(module, kind) => {
                let found = self.sources.all().find(|known| known.module == *module && known.name == *kind);
                let Some(Kind::Struct(item)) = found.map(|found| &found.kind) else { bail!("{module} has no {kind}") };
                for field in &item.fields {
                    let ident = field.ident.as_ref().context("members have names")?;
                    properties.insert(ident.to_string(), json!({"type": "string", "description": OPENED}));
                }
            }
        }
        Ok(())
    }
}

/// A digit of an id.
const DIGITS: &str = "[0-9A-HJKMNP-TV-Z]";

fn is_named(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn under_option(kind: &Type) -> &Type {
    let Type::Path(path) = kind else { return kind };
    match path.path.segments.last() {
        Some(last) if last.ident == "Option" => match &last.arguments {
            PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
                Some(GenericArgument::Type(inner)) => inner,
                Some(_) | None => kind,
            },
            PathArguments::None | PathArguments::Parenthesized(_) => kind,
        },
        Some(_) | None => kind,
    }
}
