//! Whole numbers in as few bytes as they need: how packed histories, memberships and facts write them.

/// Appends a number, seven bits a byte, the lowest first; the top bit says that more follow.
pub(super) fn push(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes a number from the front of `bytes`; `None` when they end within it, or when it is longer than
/// ten bytes.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        *bytes = rest;
        return Some(u64::from(*first));
    }
    if let Some((word, _)) = bytes.split_first_chunk() {
        // Eight bytes at once; the lowest byte without a top bit is the last of the number.
        const TOP_BITS: u64 = 0x8080_8080_8080_8080;
        let word = u64::from_le_bytes(*word);
        let ends = !word & TOP_BITS;
        if ends != 0 {
            let length = ends.trailing_zeros() as usize / 8 + 1;
            *bytes = &bytes[length..];
            let wide = word & !TOP_BITS & (u64::MAX >> (64 - 8 * length));
            // Neighbours move together: 8 times 7 bits, 4 times 14, 2 times 28.
            let wide = wide & 0x007f_007f_007f_007f | (wide & 0x7f00_7f00_7f00_7f00) >> 1;
            let wide = wide & 0x0000_3fff_0000_3fff | (wide & 0x3fff_0000_3fff_0000) >> 2;
            return Some(wide & 0x0000_0000_0fff_ffff | (wide & 0x0fff_ffff_0000_0000) >> 4);
        }
    }
    take_byte_by_byte(bytes)
}

fn take_byte_by_byte(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (position, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * position);
        if *byte < 0x80 {
            *bytes = &bytes[position + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes a number that was written as a [`zigzag`].
#[inline]
pub(super) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes).map(unzigzag)
}

/// A signed number so that those near zero are small: 0, −1, 1, −2 … become 0, 1, 2, 3 …
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number of a [`zigzag`].
pub(super) const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_taken() {
        let numbers: Vec<u64> = (0..64)
            .flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit, 0x5555_5555_5555_5555 >> bit])
            .collect();
        let mut bytes = Vec::new();
        for number in &numbers {
            push(&mut bytes, *number);
        }
        let mut rest = &bytes[..];
        for number in &numbers {
            assert_eq!(take(&mut rest), Some(*number));
        }
        assert!(rest.is_empty());
        for number in numbers {
            let mut bytes = Vec::new();
            push(&mut bytes, number);
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), None, "cut short");
            assert_eq!(take(&mut &bytes[..]), Some(number), "nothing behind it");
            assert_eq!(unzigzag(zigzag(number as i64)), number as i64);
        }
        assert_eq!(take(&mut &[0xff; 20][..]), None, "without an end");
    }
}
