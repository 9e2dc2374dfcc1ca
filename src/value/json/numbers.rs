//! Numbers (RFC 8259, 6), within the range of PostgreSQL's `numeric`.

use super::{
    JsonFault,
    grammar::{Fault, Validator},
};
use crate::value::numbers::{MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS};

impl Validator<'_> {
    /// Steps over decimal digits and says how many there were.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    pub(super) fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if matches!(self.peek(), Some(b'N' | b'I')) {
                return Err(Fault(JsonFault::NotFinite, start));
            }
        }
        let integer = self.at;
        let leading_zero = self.peek() == Some(b'0');
        let integer_digits = self.digits();
        if integer_digits == 0 || (leading_zero && integer_digits > 1) {
            return Err(Fault(JsonFault::MalformedNumber, start));
        }
        let mut fraction_digits = 0;
        if self.peek() == Some(b'.') {
            self.at += 1;
            fraction_digits = self.digits();
            if fraction_digits == 0 {
                return Err(Fault(JsonFault::MalformedNumber, start));
            }
        }
        let mut exponent = None;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            let negative = self.peek() == Some(b'-');
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            let digits = self.at;
            if self.digits() == 0 {
                return Err(Fault(JsonFault::MalformedNumber, start));
            }
            let digits = self.bytes.get(digits..self.at).unwrap_or_default();
            let magnitude = digits
                .iter()
                .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
            exponent = Some(if negative { -magnitude } else { magnitude });
        }
        if exponent.is_none()
            && fraction_digits <= MAX_FRACTION_DIGITS as usize
            && integer_digits <= MAX_INTEGER_DIGITS as usize
        {
            return Ok(());
        }
        let point = usize::from(fraction_digits > 0);
        let digits =
            self.bytes.get(integer..integer + integer_digits + point + fraction_digits).unwrap_or_default();
        if within_numeric(digits, integer_digits, fraction_digits, exponent.unwrap_or(0)) {
            Ok(())
        } else {
            Err(Fault(JsonFault::NumberOutOfRange, start))
        }
    }
}

/// Whether `numeric` takes a number: `make_result` in PostgreSQL's `numeric.c` limits the place of the first digit that is
/// not zero, and the digits behind the point (zeros too) once the exponent has been applied.
fn within_numeric(digits: &[u8], integer_digits: usize, fraction_digits: usize, exponent: i64) -> bool {
    let size = |digits: usize| i64::try_from(digits).unwrap_or(i64::MAX);
    // numeric_in's own limit on the exponent.
    if exponent.abs() >= i64::from(i32::MAX / 2) {
        return false;
    }
    if size(fraction_digits).saturating_sub(exponent) > i64::from(MAX_FRACTION_DIGITS) {
        return false;
    }
    let first = digits.iter().filter(|byte| **byte != b'.').position(|digit| matches!(digit, b'1'..=b'9'));
    first.is_none_or(|first| size(integer_digits) - size(first) + exponent <= i64::from(MAX_INTEGER_DIGITS))
}
