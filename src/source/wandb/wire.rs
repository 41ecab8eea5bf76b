//! Fields of protobuf messages, by their numbers: as much of the wire format as the log needs.

/// A message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'b>(pub(super) &'b [u8]);

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// 4 or 8 bytes; none that is read here.
    Fixed,
}

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMessage;

type Fields<'b> = Vec<(u64, Field<'b>)>;

impl<'b> Message<'b> {
    /// All fields, in order; a field may come more than once.
    fn fields(self) -> Result<Fields<'b>, NotAMessage> {
        let mut rest = self.0;
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest)?;
            let field = match key & 7 {
                0 => Field::Number(varint(&mut rest)?),
                1 => {
                    take(&mut rest, 8)?;
                    Field::Fixed
                }
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).map_err(|_| NotAMessage)?;
                    Field::Bytes(take(&mut rest, length)?)
                }
                5 => {
                    take(&mut rest, 4)?;
                    Field::Fixed
                }
                _ => return Err(NotAMessage),
            };
            fields.push((key >> 3, field));
        }
        Ok(fields)
    }

    /// The messages at a field.
    pub(super) fn messages(self, number: u64) -> Result<Vec<Message<'b>>, NotAMessage> {
        let bytes = self.fields()?.into_iter().filter_map(|(at, field)| match field {
            Field::Bytes(bytes) if at == number => Some(Message(bytes)),
            _ => None,
        });
        Ok(bytes.collect())
    }

    /// The last message at a field.
    pub(super) fn message(self, number: u64) -> Result<Option<Message<'b>>, NotAMessage> {
        Ok(self.messages(number)?.pop())
    }

    /// The texts at a field.
    pub(super) fn texts(self, number: u64) -> Result<Vec<String>, NotAMessage> {
        let texts = self.messages(number)?;
        Ok(texts.into_iter().map(|text| String::from_utf8_lossy(text.0).into_owned()).collect())
    }

    /// The text at a field; none that is there is empty.
    pub(super) fn text(self, number: u64) -> Result<Option<String>, NotAMessage> {
        Ok(self.texts(number)?.pop().filter(|text| !text.is_empty()))
    }

    /// The number at a field, 0 where it is left out.
    pub(super) fn number(self, number: u64) -> Result<i64, NotAMessage> {
        let found = self.fields()?.into_iter().rev().find_map(|(at, field)| match field {
            Field::Number(value) if at == number => Some(value.cast_signed()),
            _ => None,
        });
        Ok(found.unwrap_or_default())
    }

    /// The first message at one of some fields, with the number of that field.
    pub(super) fn one_of(self, numbers: &[u64]) -> Result<Option<(u64, Message<'b>)>, NotAMessage> {
        Ok(self.fields()?.into_iter().find_map(|(at, field)| match field {
            Field::Bytes(bytes) if numbers.contains(&at) => Some((at, Message(bytes))),
            _ => None,
        }))
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, NotAMessage> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(NotAMessage)?;
        *rest = after;
        value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or_default();
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(NotAMessage)
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Result<&'b [u8], NotAMessage> {
    let (taken, after) = rest.split_at_checked(length).ok_or(NotAMessage)?;
    *rest = after;
    Ok(taken)
}
