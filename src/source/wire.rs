//! Protobuf fields by number: as much of the wire format as the logs of W&B and TensorBoard need.

#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'b>(pub(super) &'b [u8]);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// 4 bytes: a float.
    Float(f32),
    /// 8 bytes: a double.
    Double(f64),
}

/// The bytes are not a valid message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMessage;

type Fields<'b> = Vec<(u64, Field<'b>)>;

impl<'b> Message<'b> {
    /// All fields in order; a field may occur more than once.
    fn fields(self) -> Result<Fields<'b>, NotAMessage> {
        let mut rest = self.0;
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest)?;
            let field = match key & 7 {
                0 => Field::Number(varint(&mut rest)?),
                1 => Field::Double(f64::from_le_bytes(fixed(&mut rest)?)),
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).map_err(|_| NotAMessage)?;
                    Field::Bytes(take(&mut rest, length)?)
                }
                5 => Field::Float(f32::from_le_bytes(fixed(&mut rest)?)),
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

    /// The text at a field; `None` if missing or empty.
    pub(super) fn text(self, number: u64) -> Result<Option<String>, NotAMessage> {
        Ok(self.texts(number)?.pop().filter(|text| !text.is_empty()))
    }

    /// The number at a field; 0 if omitted.
    pub(super) fn number(self, number: u64) -> Result<i64, NotAMessage> {
        let found = self.fields()?.into_iter().rev().find_map(|(at, field)| match field {
            Field::Number(value) if at == number => Some(value.cast_signed()),
            _ => None,
        });
        Ok(found.unwrap_or_default())
    }

    /// The double at a field.
    pub(super) fn double(self, number: u64) -> Result<Option<f64>, NotAMessage> {
        let found = self.fields()?.into_iter().rev().find_map(|(at, field)| match field {
            Field::Double(value) if at == number => Some(value),
            _ => None,
        });
        Ok(found)
    }

    /// The float at a field.
    pub(super) fn float(self, number: u64) -> Result<Option<f32>, NotAMessage> {
        Ok(self.floats(number)?.pop())
    }

    /// The floats at a field, unpacked or packed.
    pub(super) fn floats(self, number: u64) -> Result<Vec<f32>, NotAMessage> {
        let single = |field: &Field<'_>| if let Field::Float(value) = field { Some(*value) } else { None };
        self.repeated(number, single, |packed| fixed(packed).map(f32::from_le_bytes))
    }

    /// The doubles at a field, unpacked or packed.
    pub(super) fn doubles(self, number: u64) -> Result<Vec<f64>, NotAMessage> {
        let single = |field: &Field<'_>| if let Field::Double(value) = field { Some(*value) } else { None };
        self.repeated(number, single, |packed| fixed(packed).map(f64::from_le_bytes))
    }

    /// The whole numbers at a field, unpacked or packed.
    pub(super) fn numbers(self, number: u64) -> Result<Vec<i64>, NotAMessage> {
        let single = |field: &Field<'_>| {
            if let Field::Number(value) = field { Some(value.cast_signed()) } else { None }
        };
        self.repeated(number, single, |packed| varint(packed).map(u64::cast_signed))
    }

    /// The values at a field, one field each or packed into one.
    fn repeated<T>(
        self,
        number: u64,
        single: impl Fn(&Field<'b>) -> Option<T>,
        next: impl Fn(&mut &'b [u8]) -> Result<T, NotAMessage>,
    ) -> Result<Vec<T>, NotAMessage> {
        let mut found = Vec::new();
        for (_, field) in self.fields()?.into_iter().filter(|(at, _)| *at == number) {
            if let Field::Bytes(mut packed) = field {
                while !packed.is_empty() {
                    found.push(next(&mut packed)?);
                }
            } else {
                found.extend(single(&field));
            }
        }
        Ok(found)
    }

    /// The first message at any of these fields, with its field number.
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

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotAMessage> {
    take(rest, N)?.try_into().map_err(|_| NotAMessage)
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Result<&'b [u8], NotAMessage> {
    let (taken, after) = rest.split_at_checked(length).ok_or(NotAMessage)?;
    *rest = after;
    Ok(taken)
}
