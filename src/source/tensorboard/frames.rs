//! The frames of an event file: TensorFlow's `TFRecord`, with a masked CRC-32C of each length and each payload.

use crc::{CRC_32_ISCSI, Crc};

const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// Bytes before a payload: its length in 8, and the checksum of the length in 4.
const HEAD: usize = 12;
/// Bytes after a payload: its checksum.
const TAIL: usize = 4;

/// The payloads of a file, and whether it was cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frames<'b> {
    pub(super) payloads: Vec<&'b [u8]>,
    /// It ends in the middle of a frame, because the writer was killed or is still writing.
    pub(super) cut: bool,
}

/// Splits a file into frames. A cut-off frame at the end is dropped; earlier damage is an error with its byte
/// offset.
pub(super) fn frames(bytes: &[u8]) -> Result<Frames<'_>, usize> {
    let mut frames = Frames { payloads: Vec::new(), cut: false };
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        // The rest is a block that was never written.
        if rest.iter().all(|&byte| byte == 0) {
            frames.cut = true;
            break;
        }
        let Some((head, after)) = rest.split_at_checked(HEAD) else {
            frames.cut = true;
            break;
        };
        let (length, sum) = head.split_at(8);
        if masked(length) != number(sum) {
            return Err(at);
        }
        let length = length.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        let whole = usize::try_from(length).ok().and_then(|length| length.checked_add(TAIL));
        let Some((framed, after)) = whole.and_then(|whole| after.split_at_checked(whole)) else {
            frames.cut = true;
            break;
        };
        let (payload, sum) = framed.split_at(framed.len() - TAIL);
        if masked(payload) != number(sum) {
            return Err(at);
        }
        frames.payloads.push(payload);
        rest = after;
    }
    Ok(frames)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// Checksums of data that contains checksums are weak, so TensorFlow rotates them and adds a constant.
pub(super) fn masked(bytes: &[u8]) -> u32 {
    CRC32C.checksum(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}
