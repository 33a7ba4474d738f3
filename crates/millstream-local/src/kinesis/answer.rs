//! Answers written straight into bytes: of 10,000 records nothing else would be quick.

use bytes::Bytes;
use serde::Serialize;

use super::digits::Digits;
use super::sequence::Sequence;
use crate::api_error::ApiError;
use crate::format::Format;
use crate::http::Outlet;
use millstream_cbor::Write as _;

/// Writes maps, lists and values one after the other, in JSON or CBOR.
#[derive(Debug)]
pub(crate) struct Writer {
    format: Format,
    out: Vec<u8>,
    /// In JSON, whether the next key or the next value of a list stands behind another.
    follows: bool,
    /// Where a large answer goes while it is written.
    outlet: Option<Outlet>,
}

impl Writer {
    pub(crate) fn new(format: Format, capacity: usize) -> Self {
        Self { format, out: Vec::with_capacity(capacity), follows: false, outlet: None }
    }

    /// One whose answer is sent while it is written, if it is large.
    pub(crate) fn flowing(format: Format, outlet: Outlet) -> Self {
        Self { outlet: Some(outlet), ..Self::new(format, 1024) }
    }

    /// Sends what has been written so far, if it is much and the answer is one that flows.
    pub(crate) fn flow(&mut self) {
        if let Some(outlet) = &mut self.outlet {
            outlet.flow(&mut self.out);
        }
    }

    /// Whether the answer is sent while it is written, so that bytes that stand elsewhere can be spliced in.
    pub(crate) fn flows(&self) -> bool {
        self.outlet.is_some()
    }

    /// Values of a list as [`Writer::passage`] wrote them.
    pub(crate) fn splice(&mut self, passage: &Bytes) {
        let separated = self.follows || self.is_cbor();
        let bytes = if separated { passage.clone() } else { passage.slice(passage.len().min(1)..) };
        match &mut self.outlet {
            Some(outlet) => outlet.splice(&mut self.out, bytes),
            None => self.out.extend_from_slice(&bytes),
        }
        self.follows = true;
    }

    /// One for values of a list that go into answers by [`Writer::splice`].
    pub(crate) fn passage(format: Format, capacity: usize) -> Self {
        Self { follows: true, ..Self::new(format, capacity) }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// What has been written, as far as it has not been sent.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.outlet {
            Some(outlet) => outlet.end(self.out),
            None => self.out,
        }
    }

    pub(crate) fn begin_map(&mut self) {
        if self.is_cbor() {
            self.out.begin_map();
        } else {
            self.begin(b'{');
        }
    }

    pub(crate) fn end_map(&mut self) {
        self.end(b'}');
    }

    pub(crate) fn begin_list(&mut self) {
        if self.is_cbor() {
            self.out.begin_list();
        } else {
            self.begin(b'[');
        }
    }

    pub(crate) fn end_list(&mut self) {
        self.end(b']');
    }

    // Inlined, so that what is known of a key is known when it is compiled: 10,000 records have 50,000 of them.

    /// The name of a member of a map, which needs no escapes. Its value is to follow.
    #[inline(always)]
    pub(crate) fn key(&mut self, key: &'static str) {
        self.plain(key);
        if !self.is_cbor() {
            self.out.push(b':');
            self.follows = false;
        }
    }

    /// A text without quotation marks, backslashes and control characters.
    #[inline(always)]
    pub(crate) fn plain(&mut self, text: &str) {
        if self.is_cbor() {
            return self.out.text(text);
        }
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    pub(crate) fn text(&mut self, text: &str) {
        if self.is_cbor() || text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            return self.plain(text);
        }
        self.separate();
        // Writing a string to a vector does not fail.
        let _ = serde_json::to_writer(&mut self.out, text);
    }

    pub(crate) fn sequence(&mut self, sequence: Sequence) {
        self.plain(Digits::default().of(sequence));
    }

    pub(crate) fn number(&mut self, number: u64) {
        if self.is_cbor() {
            return self.out.unsigned(number);
        }
        self.separate();
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline(always)]
    pub(crate) fn time(&mut self, ms: u64) {
        if self.is_cbor() {
            return self.out.time(ms);
        }
        self.number(ms / 1000);
        let digit = |unit: u64| b'0' + (ms / unit % 10) as u8;
        self.out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
    }

    #[inline(always)]
    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        if self.is_cbor() {
            return self.out.bytes(bytes);
        }
        self.separate();
        self.out.push(b'"');
        base64_simd::STANDARD.encode_append(bytes, &mut self.out);
        self.out.push(b'"');
    }

    /// A value that is not written often.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> Result<(), ApiError> {
        if !self.is_cbor() {
            self.separate();
        }
        self.out.extend_from_slice(&self.format.write(value)?);
        Ok(())
    }

    fn is_cbor(&self) -> bool {
        self.format == Format::Cbor11
    }

    fn separate(&mut self) {
        if self.follows {
            self.out.push(b',');
        }
        self.follows = true;
    }

    fn begin(&mut self, bracket: u8) {
        self.separate();
        self.out.push(bracket);
        self.follows = false;
    }

    fn end(&mut self, bracket: u8) {
        if self.is_cbor() {
            return self.out.end();
        }
        self.out.push(bracket);
        self.follows = true;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(format: Format) -> Vec<u8> {
        let mut writer = Writer::new(format, 0);
        writer.begin_map();
        writer.key("List");
        writer.begin_list();
        for (text, blob) in [("pl\u{e4}in", &b""[..]), ("quo\"te\\\n\u{1}", &[0, 1, 255])] {
            writer.begin_map();
            writer.key("Text");
            writer.text(text);
            writer.key("Blob");
            writer.blob(blob);
            writer.end_map();
        }
        writer.end_list();
        writer.key("At");
        writer.time(1_600_000_000_063);
        writer.key("Empty");
        writer.begin_list();
        writer.end_list();
        writer.key("More");
        writer.begin_list();
        writer.number(0);
        writer.number(u64::MAX);
        writer.value(&["a"]).unwrap();
        writer.end_list();
        writer.end_map();
        writer.into_bytes()
    }

    #[test]
    fn the_same_calls_write_json_and_cbor() {
        let json = r#"{"List":[{"Text":"pläin","Blob":""},{"Text":"quo\"te\\\n\u0001","Blob":"AAH/"}],"At":1600000000.063,"Empty":[],"More":[0,18446744073709551615,["a"]]}"#;
        assert_eq!(String::from_utf8(answer(Format::Json11)).unwrap(), json);
        let cbor = b"\xbf\x64List\x9f\
            \xbf\x64Text\x66pl\xc3\xa4in\x64Blob\x40\xff\
            \xbf\x64Text\x69quo\"te\\\n\x01\x64Blob\x43\x00\x01\xff\xff\xff\
            \x62At\xc1\x1b\x00\x00\x01\x74\x87\x6e\x80\x3f\x65Empty\x9f\xff\
            \x64More\x9f\x00\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x9f\x61a\xff\xff\xff";
        assert_eq!(answer(Format::Cbor11), cbor);
    }

    #[test]
    fn a_passage_stands_in_a_list_as_if_its_values_had_been_written_there() {
        for format in [Format::Json11, Format::Cbor11] {
            let numbers = |writer: &mut Writer, numbers: &[u64]| numbers.iter().for_each(|n| writer.number(*n));
            let mut writer = Writer::passage(format, 0);
            numbers(&mut writer, &[1, 2]);
            let passage = Bytes::from(writer.into_bytes());
            for (before, after) in [(&[][..], &[][..]), (&[0], &[]), (&[], &[3]), (&[0, 0], &[3, 3])] {
                let list = |spliced: bool| {
                    let mut writer = Writer::new(format, 0);
                    writer.begin_list();
                    numbers(&mut writer, before);
                    if spliced {
                        writer.splice(&passage)
                    } else {
                        numbers(&mut writer, &[1, 2])
                    }
                    numbers(&mut writer, after);
                    writer.end_list();
                    writer.into_bytes()
                };
                assert_eq!(list(true), list(false), "{format:?} {before:?} {after:?}");
            }
        }
    }
}
