//! CBOR as a client of AWS writes and reads it, written down a second time.
//!
//! Bytes are shown as `{"bytes": base64}` and times as `{"ms": number}`.

use serde_json::{Value, json};

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![0xf6],
        Value::Bool(value) => vec![0xf4 + u8::from(*value)],
        Value::Number(number) => match number.as_u64() {
            Some(number) => head(0, number),
            None => [vec![0xfb], number.as_f64().unwrap().to_be_bytes().to_vec()].concat(),
        },
        Value::String(text) => [head(3, text.len() as u64), text.clone().into_bytes()].concat(),
        Value::Array(items) => [head(4, items.len() as u64), items.iter().flat_map(encode).collect()].concat(),
        Value::Object(map) => match (map.get("bytes"), map.get("ms")) {
            (Some(Value::String(base64)), _) => {
                let bytes = base64_simd::STANDARD.decode_to_vec(base64).unwrap();
                [head(2, bytes.len() as u64), bytes].concat()
            }
            (_, Some(ms)) => [vec![0xc1], encode(ms)].concat(),
            // Java writes maps without their length.
            _ => {
                let members = map.iter().flat_map(|(key, value)| [encode(&json!(key)), encode(value)]);
                [vec![0xbf], members.flatten().collect(), vec![0xff]].concat()
            }
        },
    }
}

fn head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => vec![major << 5 | bytes[7]],
        24..256 => vec![major << 5 | 24, bytes[7]],
        _ => [vec![major << 5 | 27], bytes.to_vec()].concat(),
    }
}

/// One item; what follows it stays in `bytes`.
pub(crate) fn decode(bytes: &mut &[u8]) -> Value {
    let first = take(bytes, 1)[0];
    let info = first & 31;
    let argument = match info {
        0..24 => u64::from(info),
        24..28 => take(bytes, 1 << (info - 24)).iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        _ => u64::MAX,
    };
    let mut left = argument;
    let mut more = |bytes: &mut &[u8]| {
        left = left.wrapping_sub(1);
        let ends = if argument == u64::MAX { bytes[0] == 0xff && !take(bytes, 1).is_empty() } else { left == u64::MAX };
        !ends
    };
    match first >> 5 {
        0 => json!(argument),
        2 => {
            let blob = take(bytes, usize::try_from(argument).unwrap());
            json!({"bytes": base64_simd::STANDARD.encode_to_string(blob)})
        }
        3 => json!(str::from_utf8(take(bytes, usize::try_from(argument).unwrap())).unwrap()),
        4 => {
            let mut items = Vec::new();
            while more(bytes) {
                items.push(decode(bytes));
            }
            Value::from(items)
        }
        5 => {
            let mut map = serde_json::Map::new();
            while more(bytes) {
                let key = decode(bytes);
                map.insert(key.as_str().unwrap().to_owned(), decode(bytes));
            }
            Value::from(map)
        }
        6 => {
            assert_eq!(argument, 1, "the tag of a time");
            json!({"ms": decode(bytes)})
        }
        _ => match info {
            20 | 21 => json!(info == 21),
            22 => Value::Null,
            27 => json!(f64::from_bits(argument)),
            _ => panic!("the simple value {info}"),
        },
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, left) = bytes.split_at(length);
    *bytes = left;
    taken
}

/// What the same answer is in JSON: bytes in base64, times in seconds.
pub(crate) fn in_json(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.len() == 1 && (map.contains_key("bytes") || map.contains_key("ms")) => {
            match map.remove("ms") {
                Some(ms) => json!(ms.as_f64().unwrap() / 1000.0),
                None => map.remove("bytes").unwrap(),
            }
        }
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, in_json(value))).collect(),
        Value::Array(items) => items.into_iter().map(in_json).collect(),
        value => value,
    }
}
