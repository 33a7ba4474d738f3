#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// From appendix A of RFC 8949, without byte strings and what has no JSON.
fn examples() -> Vec<(&'static str, Value)> {
    let numbers: Vec<u64> = (1..=25).collect();
    vec![
        ("00", json!(0)),
        ("17", json!(23)),
        ("1818", json!(24)),
        ("1903e8", json!(1000)),
        ("1a000f4240", json!(1_000_000)),
        ("1b000000e8d4a51000", json!(1_000_000_000_000_u64)),
        ("1bffffffffffffffff", json!(u64::MAX)),
        ("20", json!(-1)),
        ("3863", json!(-100)),
        ("3903e7", json!(-1000)),
        ("f90000", json!(0.0)),
        ("f93c00", json!(1.0)),
        ("fb3ff199999999999a", json!(1.1)),
        ("f93e00", json!(1.5)),
        ("f97bff", json!(65504.0)),
        ("fa47c35000", json!(100_000.0)),
        ("fb7e37e43c8800759c", json!(1.0e300)),
        ("f90001", json!(5.960_464_477_539_063e-8)),
        ("f90400", json!(0.000_061_035_156_25)),
        ("f9c400", json!(-4.0)),
        ("fbc010666666666666", json!(-4.1)),
        ("f4", json!(false)),
        ("f5", json!(true)),
        ("f6", json!(null)),
        ("f7", json!(null)),
        ("c074323031332d30332d32315432303a30343a30305a", json!("2013-03-21T20:04:00Z")),
        ("c11a514b67b0", json!(1_363_896_240)),
        ("c1fb41d452d9ec200000", json!(1_363_896_240.5)),
        ("d818d82076687474703a2f2f7777772e6578616d706c652e636f6d", json!("http://www.example.com")),
        ("60", json!("")),
        ("6449455446", json!("IETF")),
        ("62225c", json!("\"\\")),
        ("62c3bc", json!("\u{fc}")),
        ("64f0908591", json!("\u{10151}")),
        ("80", json!([])),
        ("8301820203820405", json!([1, [2, 3], [4, 5]])),
        ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", json!(numbers)),
        ("a0", json!({})),
        ("a26161016162820203", json!({"a": 1, "b": [2, 3]})),
        ("826161a161626163", json!(["a", {"b": "c"}])),
        ("7f657374726561646d696e67ff", json!("streaming")),
        ("9fff", json!([])),
        ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
        ("83018202039f0405ff", json!([1, [2, 3], [4, 5]])),
        ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
        ("bf6346756ef563416d7421ff", json!({"Fun": true, "Amt": -2})),
    ]
}

#[test]
fn the_examples_of_the_standard_are_read() {
    for (hex, value) in examples() {
        assert_eq!(from_slice::<Value>(&bytes(hex)).as_ref(), Ok(&value), "{hex}");
    }
    for (hex, value) in [("40", &[][..]), ("4401020304", &[1, 2, 3, 4]), ("5f42010243030405ff", &[1, 2, 3, 4, 5])] {
        let whole = bytes(hex);
        let read = serde::Deserializer::deserialize_any(&mut de::Deserializer::new(&whole), Bytes);
        assert_eq!(read, Ok(value.to_vec()), "{hex}");
    }
}

struct Bytes;

impl serde::de::Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_owned())
    }
}

#[test]
fn what_is_not_one_item_is_refused() {
    for (hex, _) in examples() {
        let whole = bytes(hex);
        for end in 0..whole.len() {
            assert_eq!(from_slice::<Value>(&whole[..end]), Err(Error::Malformed), "{hex} up to {end}");
        }
        let more = [whole, vec![0]].concat();
        assert_eq!(from_slice::<Value>(&more), Err(Error::Malformed), "{hex} and more");
    }
    let deep = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    assert!(from_slice::<Value>(&deep(64)).is_ok());
    assert_eq!(from_slice::<Value>(&deep(65)), Err(Error::Malformed));
    // Reserved, a break alone, tags of nothing, lengths of more than there is, pieces of another kind, a number as a
    // key, an odd map, a text that is none.
    for hex in [
        "1c",
        "1f",
        "3f",
        "df",
        "f8",
        "fc",
        "fe",
        "ff",
        "81ff",
        "c1",
        "5bffffffffffffffff00",
        "9bffffffffffffffff00",
        "7f4161ff",
        "7f7f6161ffff",
        "a10001",
        "bf6161ff",
        "61ff",
        "3bffffffffffffffff",
    ] {
        assert_eq!(from_slice::<Value>(&bytes(hex)), Err(Error::Malformed), "{hex}");
    }
}

#[test]
fn a_structure_is_a_map_and_not_the_list_of_its_members() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        one: u8,
        other: Option<u8>,
    }
    let read = |hex| from_slice::<Pair>(&bytes(hex));
    assert_eq!(read("a2636f6e6501656f74686572f6"), Ok(Pair { one: 1, other: None }));
    assert_eq!(read("bf656f7468657202636f6e6501ff"), Ok(Pair { one: 1, other: Some(2) }));
    assert!(matches!(read("820102"), Err(Error::Data(text)) if text.starts_with("invalid type: sequence")));
}

#[test]
fn answers_are_written_as_aws_writes_them() {
    #[derive(Serialize)]
    #[serde(rename = "millstream time")]
    struct Time(u64);
    #[derive(Serialize)]
    enum Status {
        Active,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
        present: Option<i8>,
        status: Status,
        list: (u16, u32),
        #[serde(flatten)]
        more: BTreeMap<String, f64>,
    }
    let more = BTreeMap::from([("X".to_owned(), 1.1)]);
    let answer = Answer { absent: None, present: Some(-100), status: Status::Active, list: (1000, 100_000), more };
    let expected = "bf6750726573656e7438636653746174757366416374697665644c6973749f1903e81a000186a0ff\
                    6158fb3ff199999999999aff";
    assert_eq!(to_vec(&answer).unwrap(), bytes(expected));
    assert_eq!(to_vec(&Time(1_600_000_000_063)).unwrap(), bytes("c11b00000174876e803f"));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |number| number.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn what_is_written_is_read_back(value in values()) {
        prop_assert_eq!(from_slice::<Value>(&to_vec(&value).unwrap()), Ok(value));
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_slice::<Value>(&bytes);
    }

    #[test]
    fn no_change_does_harm(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = to_vec(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = from_slice::<Value>(&bytes);
    }
}
