//! The frames of a `.wandb` file: LevelDB's log format with its own header and a plain CRC-32.

/// Bytes in a block; frames don't cross block boundaries, and blocks are counted from the start of the file.
const BLOCK: usize = 32 << 10;
/// `:W&B`, a magic number, a version.
const HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xE1, 0xBE, 0x00];
/// Bytes before the payload of a frame.
const FRAME: usize = 7;

/// The records of a log, and whether it was cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// Each record's bytes.
    pub(super) records: Vec<Vec<u8>>,
    /// It ends in the middle of a record, because the writer was killed.
    pub(super) cut: bool,
}

/// Why some bytes are not a valid log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogError {
    /// The header is wrong.
    NotALog,
    /// The data at this byte offset is damaged.
    Damaged(usize),
}

/// Splits a log into records. A cut-off record at the end is dropped; earlier damage is an error.
pub(super) fn records(bytes: &[u8]) -> Result<Log, LogError> {
    if !bytes.starts_with(&HEADER) {
        return Err(LogError::NotALog);
    }
    let mut log = Log { records: Vec::new(), cut: false };
    let mut open: Option<Vec<u8>> = None;
    let mut at = HEADER.len();
    loop {
        let left = BLOCK - at % BLOCK;
        if left < FRAME {
            at += left;
        }
        let Some(frame) = bytes.get(at..at + FRAME) else {
            log.cut = at < bytes.len() || open.is_some();
            return Ok(log);
        };
        let crc = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]);
        let length = usize::from(u16::from_le_bytes([frame[4], frame[5]]));
        let kind = frame[6];
        // The rest is a block that was never written.
        if crc == 0 && length == 0 && kind == 0 {
            log.cut = open.is_some();
            return if bytes[at..].iter().all(|&byte| byte == 0) {
                Ok(log)
            } else {
                Err(LogError::Damaged(at))
            };
        }
        if at % BLOCK + FRAME + length > BLOCK {
            return Err(LogError::Damaged(at));
        }
        let Some(payload) = bytes.get(at + FRAME..at + FRAME + length) else {
            log.cut = true;
            return Ok(log);
        };
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[kind]);
        sum.update(payload);
        if sum.finalize() != crc {
            return Err(LogError::Damaged(at));
        }
        match (kind, open.take()) {
            (1, None) => log.records.push(payload.to_vec()),
            (2, None) => open = Some(payload.to_vec()),
            (3, Some(mut record)) => {
                record.extend_from_slice(payload);
                open = Some(record);
            }
            (4, Some(mut record)) => {
                record.extend_from_slice(payload);
                log.records.push(record);
            }
            _ => return Err(LogError::Damaged(at)),
        }
        at += FRAME + length;
    }
}
