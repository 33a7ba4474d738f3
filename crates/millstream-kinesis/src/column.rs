use std::ops::{Deref, Range};
use std::sync::Arc;

use bytes::Bytes;

/// Fixed-size values of consecutive records: shared, immutable, sliceable without a copy. Dereferences to a slice.
#[derive(Debug, Clone)]
pub struct Column<T> {
    values: Arc<Vec<T>>,
    range: Range<usize>,
}

impl<T> Column<T> {
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        debug_assert!(range.end <= self.len());
        Column { values: Arc::clone(&self.values), range: self.range.start + range.start..self.range.start + range.end }
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Self {
        Column { range: 0..values.len(), values: Arc::new(values) }
    }
}

impl<T> Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.range.clone()]
    }
}

/// Byte strings of consecutive records in Arrow's `LargeBinary` layout: one buffer, and `len + 1` offsets into it.
///
/// 64-bit offsets, so that no amount of data overflows them.
#[derive(Debug, Clone)]
pub struct BinaryColumn {
    offsets: Column<i64>,
    bytes: Bytes,
}

impl BinaryColumn {
    /// How many values.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`, which must be below `len`.
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.span(index)]
    }

    /// The value at `index` as a handle on the shared buffer.
    pub(crate) fn share(&self, index: usize) -> Bytes {
        self.bytes.slice(self.span(index))
    }

    /// All values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Where the values begin in [`Self::bytes`], and where the last one ends: `len + 1` numbers that never fall.
    /// In a slice the first one is not 0.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// The buffer, with the values outside of a slice as well.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The size of all values together, in bytes.
    pub fn byte_len(&self) -> usize {
        (self.offsets[self.len()] - self.offsets[0]) as usize
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        BinaryColumn { offsets: self.offsets.slice(range.start..range.end + 1), bytes: self.bytes.clone() }
    }

    fn span(&self, index: usize) -> Range<usize> {
        self.offsets[index] as usize..self.offsets[index + 1] as usize
    }
}

#[derive(Debug)]
pub(crate) struct BinaryBuilder {
    offsets: Vec<i64>,
    bytes: Vec<u8>,
}

impl BinaryBuilder {
    pub(crate) fn new() -> Self {
        BinaryBuilder { offsets: vec![0], bytes: Vec::new() }
    }

    pub(crate) fn with_capacity(bytes: usize) -> Self {
        BinaryBuilder { offsets: vec![0], bytes: Vec::with_capacity(bytes) }
    }

    /// A value that is written in base64.
    pub(crate) fn push_base64(&mut self, text: &str) -> Result<(), base64_simd::Error> {
        base64_simd::STANDARD.decode_append(text, &mut self.bytes)?;
        self.offsets.push(self.bytes.len() as i64);
        Ok(())
    }

    pub(crate) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.offsets.push(self.bytes.len() as i64);
    }

    pub(crate) fn finish(mut self) -> BinaryColumn {
        // Room that was made for more than came is given back, where it is worth the copy that this may take.
        if self.bytes.capacity() / 2 > self.bytes.len() {
            self.bytes.shrink_to_fit();
        }
        BinaryColumn { offsets: self.offsets.into(), bytes: self.bytes.into() }
    }
}

/// Texts of consecutive records in Arrow's dictionary layout: distinct texts once, and an index for each record.
///
/// Neighbours often share a text: the sequence number in an aggregated record, the partition key of a busy producer.
#[derive(Debug, Clone)]
pub struct TextColumn {
    ends: Arc<Vec<usize>>,
    text: Arc<String>,
    indices: Column<u32>,
}

impl TextColumn {
    /// How many values.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The value at `index`, which must be below `len`.
    pub fn get(&self, index: usize) -> &str {
        self.word(self.indices[index] as usize)
    }

    /// All values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.indices.iter().map(|&word| self.word(word as usize))
    }

    /// For each record, the index of its text in [`Self::words`].
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The texts that the indices mean; in a slice, those outside of it as well.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|word| self.word(word))
    }

    /// The size of the distinct texts together, in bytes; of a slice, its share by the number of records.
    pub(crate) fn dictionary_share(&self) -> usize {
        self.text.len() * self.indices.len() / self.indices.values.len().max(1)
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        TextColumn { ends: Arc::clone(&self.ends), text: Arc::clone(&self.text), indices: self.indices.slice(range) }
    }

    fn word(&self, word: usize) -> &str {
        word_at(&self.text, &self.ends, word)
    }
}

fn word_at<'a>(text: &'a str, ends: &[usize], word: usize) -> &'a str {
    let start = if word == 0 { 0 } else { ends[word - 1] };
    &text[start..ends[word]]
}

/// A text that a [`TextBuilder`] holds already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word(u32);

#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    ends: Vec<usize>,
    text: String,
    indices: Vec<u32>,
}

impl TextBuilder {
    /// Stores the text, or finds it when it was the last one stored.
    pub(crate) fn word(&mut self, text: &str) -> Word {
        let known = self.ends.len();
        if known > 0 && word_at(&self.text, &self.ends, known - 1) == text {
            return Word((known - 1) as u32);
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        Word(known as u32)
    }

    pub(crate) fn push(&mut self, word: Word) {
        self.indices.push(word.0);
    }

    pub(crate) fn finish(self) -> TextColumn {
        TextColumn { ends: Arc::new(self.ends), text: Arc::new(self.text), indices: self.indices.into() }
    }
}
