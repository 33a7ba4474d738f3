//! The printout of a batch, in the form of Spark's `DStream.print`.

use crate::Partitions;
use millstream_engine::BatchTime;
use std::fmt::Debug;
use std::io::{self, Write};

const LINE: &str = "-------------------------------------------";

/// Writes the time and the first `num` elements of `data`, and `...` if there are more.
pub(crate) fn batch<T: Debug>(
    out: &mut impl Write,
    time: BatchTime,
    data: &Partitions<T>,
    num: usize,
) -> io::Result<()> {
    writeln!(out, "{LINE}\nTime: {time}\n{LINE}")?;
    let mut elements = data.iter();
    for element in elements.by_ref().take(num) {
        writeln!(out, "{element:?}")?;
    }
    if elements.next().is_some() {
        writeln!(out, "...")?;
    }
    writeln!(out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn printed(data: &Partitions<(&str, i32)>, num: usize) -> String {
        let mut out = Vec::new();
        batch(&mut out, BatchTime::from_millis(1_357_008_430_000), data, num).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_batch_is_printed_as_spark_does() {
        let data = Partitions::from_iter([vec![("to", 2)], vec![], vec![("be", 2), ("or", 1)]]);
        let head = format!("{0}\nTime: 1357008430000 ms\n{0}\n", "-".repeat(43));
        assert_eq!(printed(&data, 2), format!("{head}(\"to\", 2)\n(\"be\", 2)\n...\n\n"));
        assert_eq!(printed(&data, 3), format!("{head}(\"to\", 2)\n(\"be\", 2)\n(\"or\", 1)\n\n"));
        assert_eq!(printed(&data, 0), format!("{head}...\n\n"));
        assert_eq!(printed(&Partitions::empty(), 10), format!("{head}\n"));
    }
}
