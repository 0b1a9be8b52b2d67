//! Requirements in binary form: expressions in prefix order, big-endian, texts padded to four bytes.

use crate::reading::u32_at;
use crate::requirement::{Comparison, Limits, Order, Place, Requirement, RequirementError};

const MAGIC_REQUIREMENT: u32 = 0xfade_0c00;
const MAGIC_SET: u32 = 0xfade_0c01;
/// An expression; the other form, of launch constraints, is no designated requirement.
const EXPRESSION: u32 = 1;
/// The kind of a requirement that says what the code itself is known by.
const DESIGNATED: u32 = 3;
/// Magic and length, or magic, length, and a number.
const HEADER_BYTES: usize = 12;

impl Requirement {
    /// The designated requirement in the requirements of a signature, magic and length included. None where there is none.
    pub(crate) fn in_set(set: &[u8]) -> Result<Option<Self>, RequirementError> {
        if set.len() > Limits::BYTES {
            return Err(RequirementError::TooLarge);
        }
        let number = |at| u32_at(set, at).ok_or(RequirementError::Length);
        let length = number(4)?;
        if number(0)? != MAGIC_SET {
            return Err(RequirementError::Magic);
        }
        let count = number(8)?;
        if usize::try_from(length) != Ok(set.len()) || count > Limits::KINDS {
            return Err(RequirementError::Length);
        }
        let mut kinds = Vec::new();
        let mut found = None;
        for index in 0..usize::try_from(count).unwrap_or_default() {
            let at = HEADER_BYTES + 8 * index;
            let (kind, offset) = (number(at)?, number(at + 4)?);
            if kinds.contains(&kind) {
                return Err(RequirementError::Twice);
            }
            kinds.push(kind);
            if kind == DESIGNATED {
                let rest = usize::try_from(offset).ok().and_then(|at| set.get(at..));
                let rest = rest.ok_or(RequirementError::Length)?;
                let length = u32_at(rest, 4).and_then(|length| usize::try_from(length).ok());
                let whole = length.and_then(|length| rest.get(..length));
                found = Some(Self::parse(whole.ok_or(RequirementError::Length)?)?);
            }
        }
        Ok(found)
    }

    /// Reads one requirement, magic and length included.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, RequirementError> {
        if bytes.len() > Limits::BYTES {
            return Err(RequirementError::TooLarge);
        }
        let number = |at| u32_at(bytes, at).ok_or(RequirementError::Length);
        let (magic, length, form) = (number(0)?, number(4)?, number(8)?);
        if magic != MAGIC_REQUIREMENT {
            return Err(RequirementError::Magic);
        }
        if usize::try_from(length) != Ok(bytes.len()) {
            return Err(RequirementError::Length);
        }
        if form != EXPRESSION {
            return Err(RequirementError::Form(form));
        }
        let mut reader = Reader(bytes.get(HEADER_BYTES..).unwrap_or_default());
        let requirement = reader.expression(0)?;
        match reader.0 {
            [] => Ok(requirement),
            _ => Err(RequirementError::Length),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, bytes: usize) -> Result<&[u8], RequirementError> {
        let (taken, rest) = self
            .0
            .split_at_checked(bytes)
            .ok_or(RequirementError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, RequirementError> {
        u32_at(self.take(4)?, 0).ok_or(RequirementError::Length)
    }

    fn place(&mut self) -> Result<Place, RequirementError> {
        Ok(Place(self.number()?.cast_signed()))
    }

    /// A length, as many bytes, and zeros up to a multiple of four.
    fn data(&mut self) -> Result<Vec<u8>, RequirementError> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let data = self.take(length)?.to_vec();
        let padding = self.take(length.wrapping_neg() % 4)?;
        match padding.iter().all(|byte| *byte == 0) {
            true => Ok(data),
            false => Err(RequirementError::Length),
        }
    }

    fn time(&mut self) -> Result<i64, RequirementError> {
        let (high, low) = (self.number()?, self.number()?);
        Ok((u64::from(high) << 32 | u64::from(low)).cast_signed())
    }

    fn expression(&mut self, depth: usize) -> Result<Requirement, RequirementError> {
        use Requirement as It;
        if depth > Limits::DEPTH {
            return Err(RequirementError::Depth);
        }
        Ok(match self.number()? {
            0 => It::Never,
            1 => It::Always,
            2 => It::Identifier(self.data()?),
            3 => It::Apple,
            4 => It::Certificate(self.place()?, self.data()?),
            5 => It::InfoIs(self.data()?, self.data()?),
            6 => {
                let one = self.expression(depth + 1)?;
                It::Both(Box::new(one), Box::new(self.expression(depth + 1)?))
            }
            7 => {
                let one = self.expression(depth + 1)?;
                It::Either(Box::new(one), Box::new(self.expression(depth + 1)?))
            }
            8 => It::CodeHash(self.data()?),
            9 => It::Not(Box::new(self.expression(depth + 1)?)),
            10 => It::Info(self.data()?, self.comparison()?),
            11 => It::Subject(self.place()?, self.data()?, self.comparison()?),
            12 => It::Trusted(Some(self.place()?)),
            13 => It::Trusted(None),
            14 => It::Extension(self.place()?, self.data()?, self.comparison()?),
            15 => It::AppleGeneric,
            16 => It::Entitlement(self.data()?, self.comparison()?),
            17 => It::Policy(self.place()?, self.data()?, self.comparison()?),
            18 => It::NamedAnchor(self.data()?),
            19 => It::NamedCode(self.data()?),
            20 => It::Platform(self.number()?),
            21 => It::Notarized,
            22 => It::Date(self.place()?, self.data()?, self.comparison()?),
            23 => It::Legacy,
            // With flags that say how older systems skip them, there may be others, which nobody here can judge.
            other => return Err(RequirementError::Operation(other)),
        })
    }

    fn comparison(&mut self) -> Result<Comparison, RequirementError> {
        use Comparison as It;
        Ok(match self.number()? {
            0 => It::Exists,
            1 => It::Equal(self.data()?),
            2 => It::Contains(self.data()?),
            3 => It::Begins(self.data()?),
            4 => It::Ends(self.data()?),
            5 => It::Ordered(Order::Below, self.data()?),
            6 => It::Ordered(Order::Above, self.data()?),
            7 => It::Ordered(Order::BelowOrIs, self.data()?),
            8 => It::Ordered(Order::AboveOrIs, self.data()?),
            9 => It::Time(Order::Is, self.time()?),
            10 => It::Time(Order::Below, self.time()?),
            11 => It::Time(Order::Above, self.time()?),
            12 => It::Time(Order::BelowOrIs, self.time()?),
            13 => It::Time(Order::AboveOrIs, self.time()?),
            14 => It::Absent,
            other => return Err(RequirementError::Comparison(other)),
        })
    }
}
