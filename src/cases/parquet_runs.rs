//! Parquet's hybrid of run lengths and bit packing: small whole numbers, such as indices and levels.
//!
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>

use parquet::errors::ParquetError;

/// Reads `count` numbers of `width` bits. Calls `run` with each number, and how often it follows itself.
pub(super) fn read_runs(
    mut bytes: &[u8],
    width: u8,
    count: usize,
    mut run: impl FnMut(u32, usize),
) -> Result<(), ParquetError> {
    if width > 32 {
        return Err(ParquetError::General(format!("numbers of {width} bits are no indices")));
    }
    let width = usize::from(width);
    let mut left = count;
    while left > 0 {
        let header = read_varint(&mut bytes)?;
        if header & 1 == 0 {
            let times = usize::try_from(header >> 1).unwrap_or(usize::MAX).min(left);
            let value = take(&mut bytes, width.div_ceil(8))?;
            if times == 0 {
                return Err(ParquetError::General("a run of no values".into()));
            }
            let value = value.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            run(value, times);
            left -= times;
            continue;
        }
        // Groups of eight, of which the last may be longer than the values.
        let groups = usize::try_from(header >> 1).unwrap_or(usize::MAX).min(left.div_ceil(8));
        if groups == 0 {
            return Err(ParquetError::General("a run of no values".into()));
        }
        let there = bytes.len();
        let packed = take(&mut bytes, (groups * width).min(there))?;
        if packed.len() * 8 < groups.saturating_mul(8).min(left) * width {
            return Err(cut_short());
        }
        let values = (groups * 8).min(left);
        unpack(packed, width, values, &mut run);
        left -= values;
    }
    Ok(())
}

fn unpack(packed: &[u8], width: usize, values: usize, run: &mut impl FnMut(u32, usize)) {
    if width == 0 {
        return run(0, values);
    }
    let mask = u32::MAX >> (32 - width);
    let mut left = values;
    // Eight numbers of up to eight bits are one word.
    if width <= 8 {
        for group in packed.chunks(width) {
            let mut word = [0; 8];
            word[..group.len()].copy_from_slice(group);
            let mut word = u64::from_le_bytes(word);
            for _ in 0..left.min(8) {
                #[expect(clippy::cast_possible_truncation, reason = "masked to at most 8 bits")]
                run(word as u32 & mask, 1);
                word >>= width;
            }
            left -= left.min(8);
        }
        return;
    }
    for value in 0..values {
        let first = value * width;
        let mut word = [0; 8];
        let bytes = &packed[first / 8..(first + width).div_ceil(8)];
        word[..bytes.len()].copy_from_slice(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "masked to at most 32 bits")]
        run((u64::from_le_bytes(word) >> (first % 8)) as u32 & mask, 1);
    }
}

pub(super) fn cut_short() -> ParquetError {
    ParquetError::EOF("a page ends before its values do".into())
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], ParquetError> {
    let Some((taken, rest)) = bytes.split_at_checked(count) else {
        return Err(cut_short());
    };
    *bytes = rest;
    Ok(taken)
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, ParquetError> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ParquetError::General("a run's header is too long".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], width: u8, count: usize) -> Result<Vec<u32>, ParquetError> {
        let mut values = Vec::new();
        read_runs(bytes, width, count, |value, times| values.extend(std::iter::repeat_n(value, times)))?;
        Ok(values)
    }

    #[test]
    fn runs_and_packed_numbers_are_read() {
        // The example of the format's own description: 0 to 7 in three bits each.
        assert_eq!(read(&[3, 0x88, 0xC6, 0xFA], 3, 8).expect("packed"), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(read(&[10, 4, 3, 0x88, 0xC6, 0xFA], 3, 8).expect("both"), [4, 4, 4, 4, 4, 0, 1, 2]);
        assert_eq!(read(&[6, 0x34, 0x12], 16, 3).expect("a wide run"), [0x1234; 3]);
        let wide: Vec<u8> = std::iter::once(3).chain([0xFF, 0x0F, 0x00].repeat(4)).collect();
        assert_eq!(read(&wide, 12, 4).expect("twelve bits"), [0xFFF, 0, 0xFFF, 0]);
        assert_eq!(read(&[9], 0, 30).expect("one value, in no bits"), [0; 30]);
        assert_eq!(read(&[], 3, 0).expect("nothing"), [0; 0]);
    }

    #[test]
    fn what_is_cut_short_or_endless_is_an_error() {
        for bytes in [&[][..], &[10], &[3, 0x88], &[0, 1], &[1], &[0xFF; 12]] {
            assert!(read(bytes, 3, 8).is_err(), "{bytes:?}");
        }
        assert!(read(&[2, 0], 33, 1).is_err());
    }
}
