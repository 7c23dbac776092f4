//! Values as JSON text, byte for byte as `serde_json` writes them, several times quicker: log, store and answers are mostly names of
//! members and short texts, and those need no look at each byte.

use serde::ser::{self, Error as _, Serialize};
use serde_json::Error;

type Result<T = ()> = std::result::Result<T, Error>;

/// # Errors
/// When a key of a map is neither text, number nor flag, or the value itself gives up.
pub fn to_string(value: &impl Serialize) -> Result<String> {
    let mut out = String::with_capacity(256);
    push(&mut out, value)?;
    Ok(out)
}

/// Appends a value.
///
/// # Errors
/// As [`to_string`].
pub fn push(out: &mut String, value: &(impl Serialize + ?Sized)) -> Result {
    value.serialize(Writer { out, opening: "{" })
}

/// Appends the members of an object, and what closes it, to one that has members already.
///
/// # Errors
/// As [`to_string`].
pub fn push_members(out: &mut String, object: &(impl Serialize + ?Sized)) -> Result {
    object.serialize(Writer { out, opening: "," })
}

struct Writer<'a> {
    out: &'a mut String,
    /// How an object begins.
    opening: &'static str,
}

/// A list or an object of which some is written.
struct Compound<'a> {
    out: &'a mut String,
    empty: bool,
    closing: &'static str,
}

impl<'a> Writer<'a> {
    fn begin(self, opening: &str, closing: &'static str) -> Compound<'a> {
        self.out.push_str(opening);
        Compound { out: self.out, empty: true, closing }
    }

    fn object(self) -> Compound<'a> {
        let opening = self.opening;
        self.begin(opening, "}")
    }

    /// An object of one member, which the variant names.
    fn variant(self, variant: &str, opening: &str, closing: &'static str) -> Compound<'a> {
        self.out.push('{');
        name(self.out, variant);
        self.begin(opening, closing)
    }
}

impl Compound<'_> {
    fn next(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(',');
        }
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        push(self.out, value)
    }

    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        self.next();
        self.value(value)
    }

    fn member(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result {
        self.next();
        name(self.out, key);
        self.value(value)
    }

    fn close(self) -> Result {
        self.out.push_str(self.closing);
        Ok(())
    }
}

/// A name that stands in our code: nothing in it needs an escape.
fn name(out: &mut String, name: &str) {
    debug_assert!(is_plain(name), "{name} needs an escape");
    out.reserve(name.len() + 3);
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

fn text(out: &mut String, text: &str) -> Result {
    if !is_plain(text) {
        out.push_str(&serde_json::to_string(text)?);
        return Ok(());
    }
    out.reserve(text.len() + 2);
    out.push('"');
    out.push_str(text);
    out.push('"');
    Ok(())
}

/// Nothing in it needs an escape: no quote, backslash or control character. Looks at eight bytes at once (after Anderson's "Bit Twiddling
/// Hacks", <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>).
fn is_plain(text: &str) -> bool {
    const LOW: u64 = u64::MAX / 255;
    const HIGH: u64 = LOW * 0x80;
    let below = |word: u64, least: u64| word.wrapping_sub(LOW * least) & !word & HIGH;
    let special = |word: u64| below(word, 0x20) | below(word ^ (LOW * u64::from(b'"')), 1) | below(word ^ (LOW * u64::from(b'\\')), 1);
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    if words.iter().any(|bytes| special(word(bytes)) != 0) {
        return false;
    }
    match bytes.last_chunk::<8>() {
        Some(last) => special(word(last)) == 0,
        None => rest.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\'),
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result {
            self.out.push_str(itoa::Buffer::new().format(value));
            Ok(())
        })*
    };
}

/// What no number can be, JSON calls null.
fn float(out: &mut String, value: impl Serialize) -> Result {
    out.push_str(&serde_json::to_string(&value)?);
    Ok(())
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128);
    integers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128);

    fn serialize_bool(self, value: bool) -> Result {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result {
        float(self.out, value)
    }

    fn serialize_f64(self, value: f64) -> Result {
        float(self.out, value)
    }

    fn serialize_char(self, value: char) -> Result {
        text(self.out, value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result {
        text(self.out, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        text(self.out, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Result {
        let mut object = self.object();
        object.member(variant, value)?;
        object.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.begin("[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>> {
        Ok(self.begin("[", "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>> {
        Ok(self.begin("[", "]"))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Compound<'a>> {
        Ok(self.variant(variant, "[", "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.object())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>> {
        debug_assert!(!name.starts_with("$serde_json"), "what is JSON already is appended, not written");
        Ok(self.object())
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Compound<'a>> {
        Ok(self.variant(variant, "{", "}}"))
    }
}

macro_rules! elements {
    ($($of:ident: $method:ident),*) => {
        $(impl ser::$of for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.element(value)
            }

            fn end(self) -> Result {
                self.close()
            }
        })*
    };
}

macro_rules! members {
    ($($of:ident),*) => {
        $(impl ser::$of for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
                self.member(key, value)
            }

            fn end(self) -> Result {
                self.close()
            }
        })*
    };
}

elements!(SerializeSeq: serialize_element, SerializeTuple: serialize_element);
elements!(SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);
members!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.next();
        let at = self.out.len();
        push(self.out, key)?;
        let first = self.out.as_bytes().get(at);
        if first != Some(&b'"') {
            // Numbers and flags become texts.
            if !first.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') || self.out[at..] == *"null" {
                return Err(Error::custom("a key must be a text"));
            }
            self.out.insert(at, '"');
            self.out.push('"');
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.out.push(':');
        self.value(value)
    }

    fn end(self) -> Result {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::{push_members, to_string};
    use serde::Serialize;
    use std::collections::BTreeMap;

    fn same(value: &impl Serialize) {
        assert_eq!(to_string(value).map_err(|error| error.to_string()).ok(), serde_json::to_string(value).ok());
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(u8, i64);

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Any<'a> {
        Nothing,
        One(&'a str),
        Two(u8, Option<char>),
        Named { x: f64, y: [u16; 2], z: () },
    }

    #[derive(Serialize)]
    #[serde(tag = "type", content = "data")]
    enum Told<'a> {
        One(Any<'a>),
    }

    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Here { at: u8 },
    }

    #[derive(Serialize)]
    struct Whole<'a> {
        told: Vec<Told<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        #[serde(flatten)]
        tagged: Tagged,
        unit: Unit,
        pair: Pair,
        bytes: &'a [u8],
        empty: [u8; 0],
        none: Option<u8>,
        map: BTreeMap<&'a str, i128>,
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let told = [Any::Nothing, Any::One("a\"b"), Any::Two(255, Some('\n')), Any::Named { x: 0.1, y: [1, 2], z: () }];
        let whole = Whole {
            told: told.into_iter().map(Told::One).collect(),
            left_out: None,
            tagged: Tagged::Here { at: 7 },
            unit: Unit,
            pair: Pair(0, i64::MIN),
            bytes: b"\x00\xff",
            empty: [],
            none: None,
            map: BTreeMap::from([("", 0), ("k\\ey", i128::MAX)]),
        };
        same(&whole);
        same(&BTreeMap::from([(1u8, true), (2, false)]));
        same(&BTreeMap::from([(-1i64, f64::NAN), (2, -0.0)]));
        same(&BTreeMap::from([(true, 1.5e300)]));
        same(&BTreeMap::from([(Some("x"), 1)]));
        same(&BTreeMap::from([([1u8], 1)]));
        same(&BTreeMap::from([(Option::<u8>::None, 1)]));
        same(&BTreeMap::<u8, u8>::new());
        same(&serde_json::json!({"a": [1, -2, 3.5, null, true, "x"], "b": {}}));
        same(&(1u64, "two", [Some(3)]));
        same(&());
    }

    #[test]
    fn every_text_is_escaped_as_serde_json_escapes_it() {
        let characters = (0..=0x2ff).filter_map(char::from_u32).chain("\u{7f}\u{2028}🦀".chars());
        for character in characters {
            for length in 0..20 {
                for at in 0..=length {
                    let mut text = "x".repeat(length);
                    text.insert(at, character);
                    assert_eq!(to_string(&text).unwrap(), serde_json::to_string(&text).unwrap());
                }
            }
        }
    }

    #[test]
    fn members_go_on_with_an_object() {
        let mut text = r#"{"seq":1"#.to_owned();
        push_members(&mut text, &Told::One(Any::Named { x: 1.0, y: [1, 2], z: () })).unwrap();
        assert_eq!(text, r#"{"seq":1,"type":"One","data":{"named":{"x":1.0,"y":[1,2],"z":null}}}"#);
    }
}
