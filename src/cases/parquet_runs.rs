//! Parquet's hybrid of run lengths and bit packing: small whole numbers, such as indices and levels.
//!
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>

use parquet::errors::ParquetError;

/// The type of an unpacked number: one byte, or four.
pub(super) trait Packed: Copy {
    /// The largest width in bits that fits.
    const BITS: usize;

    /// Converts a number that fits.
    fn of(number: u32) -> Self;

    /// Appends `count` numbers of `width` bits.
    fn unpack(packed: &[u8], width: usize, count: usize, into: &mut Vec<Self>);
}

impl Packed for u8 {
    const BITS: usize = 8;

    #[expect(clippy::cast_possible_truncation, reason = "of at most 8 bits")]
    fn of(number: u32) -> Self {
        number as Self
    }

    fn unpack(packed: &[u8], width: usize, count: usize, into: &mut Vec<Self>) {
        let start = into.len();
        into.resize(start + count, 0);
        let into = &mut into[start..];
        // One loop per width: shifts by constants are several times faster.
        match width {
            0 => {}
            1 => unpack_bytes::<1>(packed, into),
            2 => unpack_bytes::<2>(packed, into),
            3 => unpack_bytes::<3>(packed, into),
            4 => unpack_bytes::<4>(packed, into),
            5 => unpack_bytes::<5>(packed, into),
            6 => unpack_bytes::<6>(packed, into),
            7 => unpack_bytes::<7>(packed, into),
            _ => unpack_bytes::<8>(packed, into),
        }
    }
}

/// Eight numbers of up to eight bits form one word.
fn unpack_bytes<const WIDTH: usize>(packed: &[u8], into: &mut [u8]) {
    let word = |group: &[u8]| {
        let mut word = [0; 8];
        word[..group.len()].copy_from_slice(group);
        u64::from_le_bytes(word)
    };
    #[expect(clippy::cast_possible_truncation, reason = "masked to at most 8 bits")]
    let number = |word: u64, place: usize| (word >> (place * WIDTH)) as u8 & (u8::MAX >> (8 - WIDTH));
    let mut groups = packed.chunks_exact(WIDTH);
    let mut eights = into.chunks_exact_mut(8);
    for (eight, group) in (&mut eights).zip(&mut groups) {
        let word = word(group);
        for (place, slot) in eight.iter_mut().enumerate() {
            *slot = number(word, place);
        }
    }
    let last = packed.chunks(WIDTH).nth(into.len() / 8).map_or(0, word);
    for (place, slot) in into.chunks_exact_mut(8).into_remainder().iter_mut().enumerate() {
        *slot = number(last, place);
    }
}

impl Packed for u32 {
    const BITS: usize = 32;

    fn of(number: u32) -> Self {
        number
    }

    fn unpack(packed: &[u8], width: usize, count: usize, into: &mut Vec<Self>) {
        let mask = Self::MAX.checked_shr(32 - u32::try_from(width).unwrap_or(32)).unwrap_or(0);
        into.extend((0..count).map(|place| {
            let first = place * width;
            let mut word = [0; 8];
            let bytes = &packed[first / 8..(first + width).div_ceil(8)];
            word[..bytes.len()].copy_from_slice(bytes);
            #[expect(clippy::cast_possible_truncation, reason = "masked to at most 32 bits")]
            let number = (u64::from_le_bytes(word) >> (first % 8)) as Self & mask;
            number
        }));
    }
}

/// Appends `count` numbers of `width` bits.
pub(super) fn read_runs<N: Packed>(
    mut bytes: &[u8],
    width: u8,
    count: usize,
    into: &mut Vec<N>,
) -> Result<(), ParquetError> {
    let width = usize::from(width);
    if width > N::BITS {
        return Err(ParquetError::General(format!("indices can't be {width} bits wide")));
    }
    let mut left = count;
    while left > 0 {
        let header = read_varint(&mut bytes)?;
        // Packed numbers come in groups of eight; the last group may extend beyond the values.
        let (most, is_packed) = if header & 1 == 0 { (left, false) } else { (left.div_ceil(8), true) };
        let times = usize::try_from(header >> 1).unwrap_or(usize::MAX).min(most);
        if times == 0 {
            return Err(ParquetError::General("an empty run".into()));
        }
        if !is_packed {
            let number = take(&mut bytes, width.div_ceil(8))?;
            let number = number.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            if u32::BITS - number.leading_zeros() > u32::try_from(N::BITS).unwrap_or(0) {
                return Err(ParquetError::General(format!("{number} is not a valid index")));
            }
            into.resize(into.len() + times, N::of(number));
            left -= times;
            continue;
        }
        let values = (times * 8).min(left);
        let there = bytes.len();
        let packed = take(&mut bytes, (times * width).min(there))?;
        if packed.len() * 8 < values * width {
            return Err(cut_short());
        }
        N::unpack(packed, width, values, into);
        left -= values;
    }
    Ok(())
}

/// Whether the first `count` numbers are a single run of this number, like the levels of a page without
/// missing cells.
pub(super) fn is_one_run(mut bytes: &[u8], width: u8, count: usize, number: u8) -> bool {
    let run = read_varint(&mut bytes).ok().filter(|header| header & 1 == 0 && header >> 1 >= count as u64);
    run.is_some() && width <= 8 && bytes.first() == Some(&number)
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
        read_runs::<u32>(bytes, width, count, &mut values)?;
        if width <= 8 {
            let mut narrow: Vec<u8> = Vec::new();
            read_runs(bytes, width, count, &mut narrow)?;
            assert!(
                narrow.iter().copied().map(u32::from).eq(values.iter().copied()),
                "{narrow:?} {values:?}"
            );
        }
        Ok(values)
    }

    #[test]
    fn runs_and_packed_numbers_are_read() {
        // The example in the format's specification: 0 to 7 in three bits each.
        assert_eq!(read(&[3, 0x88, 0xC6, 0xFA], 3, 8).expect("packed"), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(read(&[10, 4, 3, 0x88, 0xC6, 0xFA], 3, 8).expect("both"), [4, 4, 4, 4, 4, 0, 1, 2]);
        assert_eq!(read(&[6, 0x34, 0x12], 16, 3).expect("a wide run"), [0x1234; 3]);
        let wide: Vec<u8> = std::iter::once(3).chain([0xFF, 0x0F, 0x00].repeat(4)).collect();
        assert_eq!(read(&wide, 12, 4).expect("twelve bits"), [0xFFF, 0, 0xFFF, 0]);
        assert_eq!(read(&[9], 0, 30).expect("one value, in no bits"), [0; 30]);
        assert_eq!(read(&[], 3, 0).expect("nothing"), [0; 0]);
        // Each width, with whole groups and a partial one; trailing bytes that nothing needs are left out.
        for width in 1..=8 {
            let packed: Vec<u8> = std::iter::once(7)
                .chain((0..3 * width).map(|byte: u8| byte.wrapping_mul(73) ^ 0x5A))
                .collect();
            for count in 1..=24 {
                let bytes = &packed[..=(count * usize::from(width)).div_ceil(8)];
                assert_eq!(
                    read(bytes, width, count).expect("packed"),
                    read(&packed, width, 24).expect("all")[..count]
                );
            }
        }
    }

    #[test]
    fn one_run_is_told_from_several() {
        assert!(is_one_run(&[10, 1], 1, 5, 1));
        assert!(is_one_run(&[10, 1, 7], 1, 4, 1), "a run may be longer");
        for (bytes, count) in [(&[10, 1][..], 6), (&[10, 0], 5), (&[3, 0xFF], 5), (&[10], 5), (&[], 0)] {
            assert!(!is_one_run(bytes, 1, count, 1), "{bytes:?}");
        }
        assert!(!is_one_run(&[10, 1, 1], 9, 5, 1), "two bytes a number");
    }

    #[test]
    fn what_is_cut_short_or_endless_is_an_error() {
        for bytes in [&[][..], &[10], &[3, 0x88], &[0, 1], &[1], &[0xFF; 12]] {
            assert!(read(bytes, 3, 8).is_err(), "{bytes:?}");
        }
        assert!(read(&[2, 0], 33, 1).is_err());
        assert!(read_runs::<u8>(&[2, 0], 9, 1, &mut Vec::new()).is_err());
    }
}
