use super::fold::{Logged, fold};
use super::log::{LogError, records};

/// A log with a whole frame for each payload.
fn log(payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![b':', b'W', b'&', b'B', 0xE1, 0xBE, 0x00];
    for payload in payloads {
        frame(&mut bytes, 1, payload);
    }
    bytes
}

fn frame(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&[kind]);
    sum.update(payload);
    bytes.extend(sum.finalize().to_le_bytes());
    bytes.extend(u16::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.push(kind);
    bytes.extend(payload);
}

/// An exit record with a code.
fn exit(code: u8) -> Vec<u8> {
    vec![0x92, 0x01, 2, 0x08, code]
}

#[test]
fn a_log_that_is_cut_anywhere_keeps_what_is_whole_and_never_finishes() {
    let whole = log(&[b"\x8A\x01\x02\x0A\x00", &exit(0)]);
    let mut folded = Logged::default();
    fold(&mut folded, &whole).expect("a log");
    assert_eq!(folded.exit, Some(0));
    for end in 7..whole.len() {
        let mut folded = Logged::default();
        fold(&mut folded, &whole[..end]).expect("what is cut is still a log");
        assert_eq!(folded.exit, None, "cut at {end}");
    }
    for end in 0..7 {
        assert_eq!(records(&whole[..end]), Err(LogError::NotALog));
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let whole = log(&[b"\x8A\x01\x02\x0A\x00", &exit(3), &exit(1)]);
    for bit in 0..whole.len() * 8 {
        let mut spoilt = whole.clone();
        spoilt[bit / 8] ^= 1 << (bit % 8);
        match records(&spoilt) {
            Err(_) => {}
            // A length past the end looks like a cut.
            Ok(log) => assert!(log.cut, "bit {bit}"),
        }
    }
}

#[test]
fn a_record_may_cross_blocks() {
    let long = vec![7_u8; 40_000];
    let mut bytes = log(&[]);
    let first = (32 << 10) - bytes.len() - 7;
    frame(&mut bytes, 2, &long[..first]);
    frame(&mut bytes, 4, &long[first..]);
    assert_eq!(records(&bytes).expect("a log").records, vec![long]);
}

#[test]
fn the_end_of_a_block_too_short_for_a_frame_is_skipped() {
    let mut bytes = log(&[]);
    let first = vec![1_u8; (32 << 10) - bytes.len() - 7 - 3];
    frame(&mut bytes, 1, &first);
    bytes.extend([0; 3]);
    frame(&mut bytes, 1, b"next");
    assert_eq!(records(&bytes).expect("a log").records.len(), 2);
}

#[test]
fn bytes_that_are_no_message_are_an_error() {
    for payload in [&b"\x92\x01\x7f"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x93\x01"] {
        assert!(fold(&mut Logged::default(), &log(&[payload])).is_err(), "{payload:?}");
    }
}
