//! Writing.

use serde::ser::{self, Error as _, Impossible, Serialize};

use super::write::head;
use super::{Error, Major, Write};

type Result<T> = std::result::Result<T, Error>;

/// The name of a newtype struct around a number of milliseconds that is a time.
pub const TIME: &str = "millstream time";

pub(super) struct Serializer<'a> {
    pub(super) out: &'a mut Vec<u8>,
}

impl Serializer<'_> {
    fn by_ref(&mut self) -> Serializer<'_> {
        Serializer { out: self.out }
    }
}

fn unsupported<T>(what: &str) -> Result<T> {
    Err(Error::custom(format!("{what} is in no request and no answer")))
}

impl<'a> ser::Serializer for Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.out.push(if value { 0xf5 } else { 0xf4 });
        Ok(())
    }

    fn serialize_i8(self, number: i8) -> Result<()> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<()> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<()> {
        self.serialize_i64(number.into())
    }

    fn serialize_i64(self, number: i64) -> Result<()> {
        match u64::try_from(number) {
            Ok(number) => self.out.unsigned(number),
            Err(_) => head(self.out, Major::Negative, !number as u64),
        }
        Ok(())
    }

    fn serialize_u8(self, number: u8) -> Result<()> {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<()> {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<()> {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Result<()> {
        self.out.unsigned(number);
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<()> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<()> {
        self.out.push((Major::Simple as u8) << 5 | 27);
        self.out.extend_from_slice(&number.to_bits().to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<()> {
        self.out.text(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<()> {
        self.out.bytes(bytes);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.out.push(0xf6);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<()> {
        if name == TIME {
            head(self.out, Major::Tag, 1);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        unsupported("a variant with a value")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self> {
        self.out.begin_list();
        Ok(self)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        unsupported("a tuple with a name")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        unsupported("a variant with values")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self> {
        self.out.begin_map();
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        unsupported("a variant with members")
    }
}

macro_rules! list {
    ($($kind:ident)*) => {$(
        impl ser::$kind for Serializer<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
                value.serialize(self.by_ref())
            }

            fn end(self) -> Result<()> {
                self.out.end();
                Ok(())
            }
        }
    )*};
}
list!(SerializeSeq SerializeTuple);

impl ser::SerializeMap for Serializer<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        key.serialize(self.by_ref())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        value.serialize(self.by_ref())
    }

    fn end(self) -> Result<()> {
        self.out.end();
        Ok(())
    }
}

impl ser::SerializeStruct for Serializer<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.out.text(key);
        value.serialize(self.by_ref())
    }

    fn end(self) -> Result<()> {
        self.out.end();
        Ok(())
    }
}
