//! Reading.

use serde::de::{self, DeserializeSeed, Error as _, Unexpected, Visitor};

use super::{BREAK, Error, INDEFINITE, MAX_DEPTH, Major};

type Result<T> = std::result::Result<T, Error>;

pub(super) struct Deserializer<'de> {
    left: &'de [u8],
    depth: u8,
}

/// The first byte of an item and the number that follows it.
#[derive(Clone, Copy)]
struct Head {
    major: Major,
    /// The lower five bits.
    info: u8,
    /// A value or a length; the bits of a floating-point number.
    argument: u64,
}

impl Head {
    /// The length, unless the item ends with a break.
    fn length(self) -> Option<u64> {
        (self.info != INDEFINITE).then_some(self.argument)
    }
}

impl<'de> Deserializer<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { left: bytes, depth: 0 }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<()> {
        if self.left.is_empty() { Ok(()) } else { Err(Error::Malformed) }
    }

    fn head(&mut self) -> Result<Head> {
        let (first, left) = self.left.split_first().ok_or(Error::Malformed)?;
        self.left = left;
        let major = match first >> 5 {
            0 => Major::Unsigned,
            1 => Major::Negative,
            2 => Major::Bytes,
            3 => Major::Text,
            4 => Major::List,
            5 => Major::Map,
            6 => Major::Tag,
            _ => Major::Simple,
        };
        let info = first & 31;
        let argument = match info {
            0..24 => u64::from(info),
            24 => u8::from_be_bytes(self.array()?).into(),
            25 => u16::from_be_bytes(self.array()?).into(),
            26 => u32::from_be_bytes(self.array()?).into(),
            27 => u64::from_be_bytes(self.array()?),
            INDEFINITE if matches!(major, Major::Bytes | Major::Text | Major::List | Major::Map) => 0,
            _ => return Err(Error::Malformed),
        };
        Ok(Head { major, info, argument })
    }

    /// The head of an item; tags say nothing that its reader does not know.
    fn untagged(&mut self) -> Result<Head> {
        loop {
            let head = self.head()?;
            if head.major != Major::Tag {
                return Ok(head);
            }
        }
    }

    fn take(&mut self, length: u64) -> Result<&'de [u8]> {
        let length = usize::try_from(length).map_err(|_| Error::Malformed)?;
        let (taken, left) = self.left.split_at_checked(length).ok_or(Error::Malformed)?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk().ok_or(Error::Malformed)?;
        self.left = left;
        Ok(*taken)
    }

    /// The bytes of a string that comes in pieces.
    fn pieces(&mut self, head: Head) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while !self.at_break()? {
            let piece = self.head()?;
            let length = piece.length().filter(|_| piece.major == head.major).ok_or(Error::Malformed)?;
            whole.extend_from_slice(self.take(length)?);
        }
        Ok(whole)
    }

    fn visit_bytes<V: Visitor<'de>>(&mut self, head: Head, visitor: V) -> Result<V::Value> {
        match head.length() {
            Some(length) => visitor.visit_borrowed_bytes(self.take(length)?),
            None => visitor.visit_byte_buf(self.pieces(head)?),
        }
    }

    fn visit_text<V: Visitor<'de>>(&mut self, head: Head, visitor: V) -> Result<V::Value> {
        match head.length() {
            Some(length) => {
                visitor.visit_borrowed_str(str::from_utf8(self.take(length)?).map_err(|_| Error::Malformed)?)
            }
            None => visitor.visit_string(String::from_utf8(self.pieces(head)?).map_err(|_| Error::Malformed)?),
        }
    }

    /// Whether a break follows, which is taken.
    fn at_break(&mut self) -> Result<bool> {
        let first = *self.left.first().ok_or(Error::Malformed)?;
        if first == BREAK {
            self.left = &self.left[1..];
        }
        Ok(first == BREAK)
    }

    /// Shows a visitor what is in a list or map.
    fn within<T>(&mut self, head: Head, visit: impl FnOnce(&mut Members<'_, 'de>) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(Error::Malformed);
        }
        self.depth += 1;
        let mut members = Members { left: head.length(), ended: false, deserializer: self };
        let value = visit(&mut members)?;
        // A visitor that stops early has taken all that it knows: the rest is none of what was asked for.
        if !members.ended && members.next()? {
            return Err(Error::Malformed);
        }
        self.depth -= 1;
        Ok(value)
    }

    fn visit<V: Visitor<'de>>(&mut self, head: Head, visitor: V) -> Result<V::Value> {
        match head.major {
            Major::Unsigned => visitor.visit_u64(head.argument),
            Major::Negative => match i64::try_from(head.argument) {
                Ok(number) => visitor.visit_i64(-1 - number),
                Err(_) => Err(Error::Malformed),
            },
            Major::Bytes => self.visit_bytes(head, visitor),
            Major::Text => self.visit_text(head, visitor),
            Major::List => self.within(head, |members| visitor.visit_seq(members)),
            Major::Map => self.within(head, |members| visitor.visit_map(members)),
            Major::Tag => Err(Error::Malformed),
            Major::Simple => match head.info {
                20 => visitor.visit_bool(false),
                21 => visitor.visit_bool(true),
                22 | 23 => visitor.visit_unit(),
                25 => visitor.visit_f64(half(head.argument)),
                26 => visitor.visit_f64(f64::from(f32::from_bits(head.argument as u32))),
                27 => visitor.visit_f64(f64::from_bits(head.argument)),
                _ => Err(Error::Malformed),
            },
        }
    }
}

/// A floating-point number of 16 bits.
fn half(bits: u64) -> f64 {
    let (exponent, fraction) = ((bits >> 10 & 31) as i32, (bits & 1023) as f64);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 & 1 == 1 { -magnitude } else { magnitude }
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let head = self.untagged()?;
        self.visit(head, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        // Null and undefined.
        if let Some([0xf6 | 0xf7]) = self.left.get(..1) {
            self.left = &self.left[1..];
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    /// A list would be read as the members of a structure in their order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let head = self.untagged()?;
        if head.major == Major::List {
            return Err(Error::invalid_type(Unexpected::Seq, &visitor));
        }
        self.visit(head, visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map enum identifier ignored_any
    }
}

/// What is left of a list or map.
struct Members<'a, 'de> {
    deserializer: &'a mut Deserializer<'de>,
    /// Items of a list or pairs of a map; `None` up to a break.
    left: Option<u64>,
    ended: bool,
}

impl Members<'_, '_> {
    /// Whether there is one more.
    fn next(&mut self) -> Result<bool> {
        self.ended = match &mut self.left {
            None => self.deserializer.at_break()?,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        };
        Ok(!self.ended)
    }

    /// No more than there are bytes: a length is easily written.
    fn hint(&self) -> Option<usize> {
        let bytes = self.deserializer.left.len();
        self.left.map(|left| usize::try_from(left).unwrap_or(bytes).min(bytes))
    }
}

impl<'de> de::SeqAccess<'de> for &mut Members<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.next()? { seed.deserialize(&mut *self.deserializer).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> de::MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.next()? {
            return Ok(None);
        }
        // A number would be read as the place of a member.
        if self.deserializer.left.first().is_none_or(|first| first >> 5 != Major::Text as u8) {
            return Err(Error::Malformed);
        }
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}
