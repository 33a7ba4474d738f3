//! MD5 of eight short texts at a time, by vector instructions.
//!
//! Hashing 500 partition keys one by one took a tenth of a PutRecords. The rounds are those of RFC 1321, section 3.4.

use wide::u32x8;

/// Texts at a time.
pub(super) const LANES: usize = 8;
/// The longest text that fits into one block with its end mark and its length.
pub(super) const MAX_BYTES: usize = 55;

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The digests of texts of at most [`MAX_BYTES`]; what is longer is cut.
pub(super) fn digests(texts: [&[u8]; LANES]) -> [[u8; 16]; LANES] {
    let words = words_of(texts);
    let mut state = START.map(u32x8::splat);
    round(&mut state, &words, 0, [7, 12, 17, 22], |step| step, |b, c, d| d ^ (b & (c ^ d)));
    round(&mut state, &words, 1, [5, 9, 14, 20], |step| 5 * step + 1, |b, c, d| c ^ (d & (b ^ c)));
    round(&mut state, &words, 2, [4, 11, 16, 23], |step| 3 * step + 5, |b, c, d| b ^ c ^ d);
    round(&mut state, &words, 3, [6, 10, 15, 21], |step| 7 * step, |b, c, d| c ^ (b | !d));
    let mut digests = [[0; 16]; LANES];
    for ((word, start), at) in state.into_iter().zip(START).zip(0..) {
        for (digest, word) in digests.iter_mut().zip((word + u32x8::splat(start)).to_array()) {
            digest[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
        }
    }
    digests
}

/// The one block of each text, word by word.
fn words_of(texts: [&[u8]; LANES]) -> [u32x8; 16] {
    let mut words = [[0; LANES]; 16];
    for (lane, text) in texts.iter().enumerate() {
        let text = &text[..text.len().min(MAX_BYTES)];
        let mut block = [0; 64];
        block[..text.len()].copy_from_slice(text);
        block[text.len()] = 0x80;
        block[56..].copy_from_slice(&(text.len() as u64 * 8).to_le_bytes());
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            word[lane] = u32::from_le_bytes(*bytes);
        }
    }
    words.map(u32x8::from)
}

#[inline(always)]
fn round(
    state: &mut [u32x8; 4],
    words: &[u32x8; 16],
    number: usize,
    shifts: [u32; 4],
    word: impl Fn(usize) -> usize,
    mix: impl Fn(u32x8, u32x8, u32x8) -> u32x8,
) {
    let [mut a, mut b, mut c, mut d] = *state;
    for step in 0..16 {
        let (word, sine, shift) = (words[word(step) % 16], SINES[number * 16 + step], shifts[step % 4]);
        let sum = a + mix(b, c, d) + word + u32x8::splat(sine);
        let rotated = (sum << shift) | (sum >> (32 - shift));
        (a, d, c, b) = (d, c, b, b + rotated);
    }
    *state = [a, b, c, d];
}

/// 2^32 times the sine of 1 to 64, without its sign.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];
