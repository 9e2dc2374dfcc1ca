//! Decimal numbers in the text that PostgreSQL's `numeric` prints.
//!
//! In: a decimal text, or the base-10000 digits of `numeric_send`. Out: one spelling a value. PostgreSQL's manual,
//! 8.1.2 "Arbitrary Precision Numbers", has the limits.

/// The most digits that `numeric` holds before the decimal point.
const MAX_WHOLE_DIGITS: usize = 131_072;
/// The most digits that `numeric` holds behind the decimal point.
const MAX_SCALE: usize = 16_383;

/// What becomes of zeros at the end of the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zeros {
    /// They stay: `jsonb` prints them.
    Keep,
    /// They go: two `numeric`s that are equal have one form.
    Strip,
}

/// A decimal text taken apart.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    /// Takes a text apart: sign, digits, a fraction and an exponent where there are. At least one digit.
    pub(super) fn parse(text: &'a [u8]) -> Option<Parts<'a>> {
        let (negative, rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => digits(rest),
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', exponent)) => {
                let exponent = std::str::from_utf8(exponent).ok()?.parse::<i64>().ok()?;
                // PostgreSQL's own bound.
                (exponent.abs() < i64::from(i32::MAX / 2)).then_some(exponent)?
            }
            Some(_) => return None,
        };
        Some(Parts { negative, whole, fraction, exponent })
    }

    fn digit(&self, position: i64) -> u8 {
        usize::try_from(position)
            .ok()
            .and_then(|at| self.whole.iter().chain(self.fraction).nth(at).copied())
            .unwrap_or(b'0')
    }

    /// Appends the number without an exponent, without needless leading zeros, without a negative zero. `None`: it is
    /// past `numeric`'s limits.
    pub(super) fn write(&self, zeros: Zeros, out: &mut Vec<u8>) -> Option<()> {
        let count = (self.whole.len() + self.fraction.len()) as i64;
        let point = self.whole.len() as i64 + self.exponent;
        let mut scale = usize::try_from(count - point).unwrap_or(0);
        let significant = self.whole.iter().chain(self.fraction).position(|&digit| digit != b'0');
        let significant = significant.map(|at| at as i64);
        let whole_digits = significant.map_or(0, |first| usize::try_from(point - first).unwrap_or(0));
        if scale > MAX_SCALE || whole_digits > MAX_WHOLE_DIGITS {
            return None;
        }
        if self.negative && significant.is_some() {
            out.push(b'-');
        }
        match significant {
            Some(first) if first < point => self.write_digits(first, point, out),
            _ => out.push(b'0'),
        }
        if zeros == Zeros::Strip {
            while scale > 0 && self.digit(point + scale as i64 - 1) == b'0' {
                scale -= 1;
            }
        }
        if scale > 0 {
            out.push(b'.');
            self.write_digits(point, point + scale as i64, out);
        }
        Some(())
    }

    fn write_digits(&self, from: i64, to: i64, out: &mut Vec<u8>) {
        let mut at = from;
        // Zeros in front of the first digit, the digits, zeros behind the last.
        while at < to.min(0) {
            out.push(b'0');
            at += 1;
        }
        let first = usize::try_from(at).unwrap_or(0);
        let wanted = usize::try_from(to - at).unwrap_or(0);
        let before = out.len();
        out.extend(self.whole.iter().chain(self.fraction).skip(first).take(wanted));
        let zeros = wanted - (out.len() - before);
        out.resize(out.len() + zeros, b'0');
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// Whether a text is of the form that the mapping's `numeric` takes: `-?digits(.digits)?`, and no negative zero.
/// PostgreSQL takes more (a plus, an exponent, `.5`, `Infinity`).
pub(super) fn is_plain(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(unsigned);
    let has_form = match rest.split_first() {
        None => !whole.is_empty(),
        Some((b'.', fraction)) => {
            !whole.is_empty() && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)
        }
        Some(_) => false,
    };
    let is_negative = unsigned.len() < text.len();
    has_form && (!is_negative || unsigned.iter().any(|byte| (b'1'..=b'9').contains(byte)))
}

/// Whether a finite number in normal form (zeros stripped) fits `numeric(precision,scale)` without rounding.
pub(super) fn fits(normal: &[u8], precision: u16, scale: u16) -> bool {
    let unsigned = normal.strip_prefix(b"-").unwrap_or(normal);
    let (whole, rest) = digits(unsigned);
    let whole = if whole == b"0" { 0 } else { whole.len() };
    let fraction = rest.len().saturating_sub(1);
    fraction <= usize::from(scale) && whole <= usize::from(precision - scale.min(precision))
}

/// Appends the normal form (zeros stripped) of `numeric`'s binary form: `ndigits`, `weight`, `sign`, `dscale`, then
/// that many digits to the base of 10000 (`numeric_send` in PostgreSQL's `numeric.c`). `None`: it is not that.
pub(super) fn write_binary(cell: &[u8], out: &mut Vec<u8>) -> Option<()> {
    const NEGATIVE: u16 = 0x4000;
    let field = |at: usize| Some(u16::from_be_bytes(cell.get(at..at + 2)?.try_into().ok()?));
    let (count, weight, sign) = (usize::from(field(0)?), i32::from(field(2)? as i16), field(4)?);
    let digits = cell.get(8..)?;
    if digits.len() != count * 2 {
        return None;
    }
    match sign {
        0 | NEGATIVE => {}
        0xC000 => {
            out.extend_from_slice(b"NaN");
            return Some(());
        }
        0xD000 => {
            out.extend_from_slice(b"Infinity");
            return Some(());
        }
        0xF000 => {
            out.extend_from_slice(b"-Infinity");
            return Some(());
        }
        _ => return None,
    }
    let group = |power: i32| -> u16 {
        usize::try_from(weight - power)
            .ok()
            .and_then(|at| digits.get(at * 2..at * 2 + 2))
            .map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    if sign == NEGATIVE && digits.iter().any(|&byte| byte != 0) {
        out.push(b'-');
    }
    let push = |group: u16, out: &mut Vec<u8>| {
        for unit in [1000, 100, 10, 1] {
            out.push(b'0' + (group / unit % 10) as u8);
        }
    };
    let start = out.len();
    for power in (0..=weight).rev() {
        push(group(power), out);
    }
    let zeros = out[start..].iter().take_while(|&&byte| byte == b'0').count();
    out.drain(start..start + zeros);
    if out.len() == start {
        out.push(b'0');
    }
    let point = out.len();
    out.push(b'.');
    for power in (weight + 1 - count as i32..0).rev() {
        push(group(power), out);
    }
    while out.len() > point + 1 && out.last() == Some(&b'0') {
        out.pop();
    }
    if out.len() == point + 1 {
        out.pop();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str, zeros: Zeros) -> Option<String> {
        let mut out = Vec::new();
        Parts::parse(text.as_bytes())?.write(zeros, &mut out)?;
        Some(String::from_utf8(out).expect("ASCII"))
    }

    #[test]
    fn one_spelling_a_value() {
        for (text, stripped, kept) in [
            ("0", "0", "0"),
            ("-0.00", "0", "0.00"),
            ("007", "7", "7"),
            ("+1.10", "1.1", "1.10"),
            ("-.5", "-0.5", "-0.5"),
            ("5.", "5", "5"),
            ("1e3", "1000", "1000"),
            ("1.5e1", "15", "15"),
            ("1.50e1", "15", "15.0"),
            ("12e-5", "0.00012", "0.00012"),
            ("0.00120e2", "0.12", "0.120"),
            ("1200", "1200", "1200"),
        ] {
            assert_eq!(normal(text, Zeros::Strip).as_deref(), Some(stripped), "{text}");
            assert_eq!(normal(text, Zeros::Keep).as_deref(), Some(kept), "{text}");
        }
        for text in
            ["", "-", ".", "1e", "1x", " 1", "1e99999999999999999999", "1e131072", "1e-16384", "0e1073741823"]
        {
            assert_eq!(normal(text, Zeros::Keep), None, "{text}");
        }
    }

    #[test]
    fn plain_decimals() {
        for text in ["0", "-1", "007", "0.00", "-0.01", "1234567890.0987654321"] {
            assert!(is_plain(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "+1",
            ".5",
            "-.5",
            "1.",
            "-1.",
            "1e3",
            "1.5E2",
            "-0",
            "-0.0",
            "-000.00",
            "--1",
            "1.2.3",
            "1.2e3",
            " 1",
            "1 ",
            "1,5",
            "inf",
            "Infinity",
            "-Infinity",
            "NaN",
            "0x1",
            "1_000",
            "１",
        ] {
            assert!(!is_plain(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn binary_digits_become_the_same_text() {
        for (digits, weight, sign, scale, expected) in [
            (&[][..], 0_i16, 0_u16, 0_u16, "0"),
            (&[], 0, 0, 5, "0"),
            (&[1], 0, 0x4000, 2, "-1"),
            (&[1, 1000], 0, 0, 2, "1.1"),
            (&[12, 3456, 7800], 1, 0, 2, "123456.78"),
            (&[5], 2, 0, 0, "500000000"),
            (&[12], -2, 0x4000, 8, "-0.00000012"),
            (&[], 0, 0xC000, 0, "NaN"),
            (&[], 0, 0xD000, 0, "Infinity"),
            (&[], 0, 0xF000, 0, "-Infinity"),
        ] {
            let mut cell = Vec::new();
            for field in [digits.len() as u16, weight as u16, sign, scale].iter().chain(digits) {
                cell.extend_from_slice(&field.to_be_bytes());
            }
            let mut out = b"1".to_vec();
            assert_eq!(write_binary(&cell, &mut out), Some(()));
            assert_eq!(String::from_utf8_lossy(&out[1..]), expected);
            assert_eq!(write_binary(&cell[..cell.len() - 1], &mut out), None);
        }
    }

    #[test]
    fn precision_and_scale() {
        for (text, precision, scale, expected) in [
            ("0", 2, 2, true),
            ("0.99", 2, 2, true),
            ("1", 2, 2, false),
            ("-12345678.91", 10, 2, true),
            ("123456789", 10, 2, false),
            ("0.001", 10, 2, false),
        ] {
            assert_eq!(fits(text.as_bytes(), precision, scale), expected, "{text}");
        }
    }
}
