//! The index of each cell's value among the column's distinct values: one byte per cell while they are few.

/// The code of a cell without a value.
pub(super) const MISSING: u32 = u32::MAX;

const NARROW_MISSING: u8 = u8::MAX;

/// A code for each cell: an index of the column's distinct values, or [`MISSING`].
#[derive(Debug, Clone)]
pub(super) enum Codes {
    /// Codes below 255; 255 is a missing value.
    Narrow(Vec<u8>),
    /// Any codes.
    Wide(Vec<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Codes {
    pub(super) fn reserve(&mut self, rows: usize) {
        match self {
            Self::Narrow(codes) => codes.reserve(rows),
            Self::Wide(codes) => codes.reserve(rows),
        }
    }

    /// One more than the largest code.
    pub(super) fn bound(&self) -> u32 {
        match self {
            Self::Narrow(codes) => {
                u32::from(codes.iter().fold(0, |most, code| most.max(code.wrapping_add(1))))
            }
            Self::Wide(codes) => codes.iter().fold(0, |most, code| most.max(code.wrapping_add(1))),
        }
    }

    /// Whether a cell has no value.
    pub(super) fn has_missing(&self) -> bool {
        match self {
            Self::Narrow(codes) => codes.contains(&NARROW_MISSING),
            Self::Wide(codes) => codes.contains(&MISSING),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> u32 {
        match self {
            Self::Narrow(codes) => widened(codes[row]),
            Self::Wide(codes) => codes[row],
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|row| self.get(row))
    }

    #[inline]
    pub(super) fn push(&mut self, code: u32) {
        match self {
            Self::Narrow(codes) => match narrowed(code) {
                Some(code) => codes.push(code),
                None => self.push_wide(code),
            },
            Self::Wide(codes) => codes.push(code),
        }
    }

    #[cold]
    fn push_wide(&mut self, code: u32) {
        self.widen();
        self.push(code);
    }

    fn widen(&mut self) {
        if let Self::Narrow(codes) = self {
            *self = Self::Wide(codes.iter().copied().map(widened).collect());
        }
    }

    /// Appends the cells of the next rows; `code_of` maps their codes to codes here.
    pub(super) fn append(&mut self, next: &Self, code_of: &[u32]) {
        if code_of.iter().any(|code| narrowed(*code).is_none()) {
            self.widen();
        }
        let code = |code: u32| code_of.get(code as usize).copied().unwrap_or(MISSING);
        match (self, next) {
            (Self::Narrow(codes), Self::Narrow(next)) => {
                let start = codes.len();
                codes.extend_from_slice(next);
                remap(&mut codes[start..], code_of);
            }
            (codes, next) => next.iter().for_each(|old| codes.push(code(old))),
        }
    }
}

/// Whether the mapping changes no code.
pub(super) fn is_same(code_of: &[u32]) -> bool {
    code_of.iter().zip(0..).all(|(code, place)| *code == place)
}

/// Maps the code of each cell through `code_of`; every new code fits a byte.
pub(super) fn remap(cells: &mut [u8], code_of: &[u32]) {
    if is_same(code_of) {
        return;
    }
    let mut table = [NARROW_MISSING; 256];
    for (slot, code) in table.iter_mut().zip(code_of) {
        *slot = narrowed(*code).unwrap_or(NARROW_MISSING);
    }
    for cell in cells {
        *cell = table[usize::from(*cell)];
    }
}

fn widened(code: u8) -> u32 {
    if code == NARROW_MISSING { MISSING } else { u32::from(code) }
}

fn narrowed(code: u32) -> Option<u8> {
    match code {
        MISSING => Some(NARROW_MISSING),
        code => u8::try_from(code).ok().filter(|code| *code != NARROW_MISSING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_255_codes_widen_the_cells_before_them() {
        let mut codes = Codes::default();
        for code in (0..300).chain([MISSING, 254, 255]) {
            codes.push(code);
        }
        assert!(matches!(codes, Codes::Wide(_)));
        assert!(codes.iter().eq((0..300).chain([MISSING, 254, 255])));
    }

    #[test]
    fn appended_codes_are_those_of_the_whole_column() {
        let mut codes = Codes::default();
        for code in [0, 1, MISSING] {
            codes.push(code);
        }
        let next = codes.clone();
        codes.append(&next, &[1, 7]);
        assert!(matches!(codes, Codes::Narrow(_)));
        assert!(codes.iter().eq([0, 1, MISSING, 1, 7, MISSING]));
        codes.append(&next, &[255, 0]);
        assert!(codes.iter().eq([0, 1, MISSING, 1, 7, MISSING, 255, 0, MISSING]));
    }
}
