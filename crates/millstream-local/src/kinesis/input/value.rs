//! Strings, numbers, truths and times.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{LIST, STRUCTURE};

const BUFFER: &str = "class java.nio.HeapByteBuffer";
const NUMBER: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";

/// A string, borrowed from the request unless it has escapes.
#[derive(Clone, Debug)]
pub(crate) struct Text<'a>(Cow<'a, str>);

/// A string that outlives the request.
#[derive(Clone, Debug)]
pub(crate) struct Word(pub(crate) String);

/// An integer; a fraction is cut off, as AWS does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer(pub(crate) i64);

/// True or false.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) bool);

/// A time in milliseconds: in JSON from seconds with a fraction, in CBOR as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp(pub(crate) u64);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a visitor takes; anything else is refused in AWS's words.
pub(super) trait Kind<'de>: Sized {
    /// How AWS calls the type: `can not be converted to {NAME}`.
    const NAME: &'static str;
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn number(_: f64) -> Option<Self> {
        None
    }
    fn boolean(_: bool) -> Option<Self> {
        None
    }
    fn bytes(_: Cow<'de, [u8]>) -> Option<Self> {
        None
    }
}

impl<'de> Kind<'de> for Text<'de> {
    const NAME: &'static str = "an String";
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

impl<'de> Kind<'de> for Word {
    const NAME: &'static str = "an String";
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text.into_owned()))
    }
}

impl<'de> Kind<'de> for Integer {
    const NAME: &'static str = "an Integer";
    fn number(number: f64) -> Option<Self> {
        // A cast to an integer cuts the fraction and stays within its range.
        Some(Self(i64::from(number as i32)))
    }
}

impl<'de> Kind<'de> for Flag {
    const NAME: &'static str = "an Boolean";
    fn boolean(value: bool) -> Option<Self> {
        Some(Self(value))
    }
}

/// The number of a time, before it is known of what.
struct Moment(f64);

impl<'de> Kind<'de> for Moment {
    const NAME: &'static str = "milliseconds since epoch";
    fn number(number: f64) -> Option<Self> {
        Some(Self(number))
    }
}

/// Reads a value of one kind, whatever stands there.
pub(super) fn visit<'de, T: Kind<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(KindVisitor(PhantomData))
}

struct KindVisitor<T>(PhantomData<T>);

impl<'de, T: Kind<'de>> Visitor<'de> for KindVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::NAME)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        T::text(Cow::Borrowed(text)).ok_or_else(|| refused::<T, E>("class java.lang.String"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(Cow::Owned(text.to_owned())).ok_or_else(|| refused::<T, E>("class java.lang.String"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::number(number).ok_or_else(|| refused::<T, E>(NUMBER))
    }

    #[expect(clippy::cast_precision_loss, reason = "no member of the API has use for more than 53 bits")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "no member of the API has use for more than 53 bits")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<T, E> {
        T::bytes(Cow::Borrowed(bytes)).ok_or_else(|| refused::<T, E>(BUFFER))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::bytes(Cow::Owned(bytes.to_owned())).ok_or_else(|| refused::<T, E>(BUFFER))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::boolean(value).ok_or_else(|| refused::<T, E>("class java.lang.Boolean"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(LIST))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(STRUCTURE))
    }
}

fn refused<'de, T: Kind<'de>, E: de::Error>(found: &str) -> E {
    E::custom(format!("{found} can not be converted to {}", T::NAME))
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ms_per_unit = if deserializer.is_human_readable() { 1000.0 } else { 1.0 };
        let Moment(number) = visit(deserializer)?;
        Ok(Self((number * ms_per_unit).round() as u64))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        visit::<Text<'de>, D>(deserializer)
    }
}

macro_rules! deserialize_by_kind {
    ($($name:ident)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                visit(deserializer)
            }
        }
    )*};
}
deserialize_by_kind!(Word Integer Flag);
