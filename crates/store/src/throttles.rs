//! How what limits remember is kept in the user's row: one piece per limit, one after the other.
//!
//! | bytes | what, all big endian |
//! | --- | --- |
//! | 1, 8 | the key's kind and subject |
//! | 4 | wrong answers since the last right one |
//! | 8 | until when nothing is evaluated, in milliseconds since 1970 UTC; 0 for not |
//! | 8, 32 | when the last wrong answer came and its digest; 0 for none |
//! | 2, then 8 each | how many recent moments there are, and these |

use domain::{Digest, Throttle, ThrottleKey, Timestamp};

use crate::error::Error;
use crate::value::{pack_moments, unpack_moments};

const CORRUPT: Error = Error::Corrupt("a user's limits");

/// What is stored; nothing at all if there are no limits.
pub(crate) fn pack(throttles: &[Throttle]) -> Option<Vec<u8>> {
    if throttles.is_empty() {
        return None;
    }
    let mut packed = Vec::with_capacity(throttles.iter().map(|throttle| 63 + 8 * throttle.recent.len()).sum());
    for throttle in throttles {
        let (kind, subject) = throttle.key.numbers();
        let (wrong, wrong_at) = throttle.last_wrong.map_or(([0; 32], 0), |(wrong, at)| (wrong.0, at.0));
        packed.push(u8::try_from(kind).unwrap_or_default());
        packed.extend_from_slice(&subject.to_be_bytes());
        packed.extend_from_slice(&throttle.consecutive.to_be_bytes());
        packed.extend_from_slice(&throttle.locked_until.map_or(0, |at| at.0).to_be_bytes());
        packed.extend_from_slice(&wrong_at.to_be_bytes());
        packed.extend_from_slice(&wrong);
        // Rules forget what is older than a day, and a day holds fewer than are counted here.
        let recent = throttle.recent.len().min(usize::from(u16::MAX));
        packed.extend_from_slice(&u16::try_from(recent).unwrap_or(u16::MAX).to_be_bytes());
        packed.extend_from_slice(&pack_moments(&throttle.recent[..recent]));
    }
    Some(packed)
}

/// The inverse of [`pack`].
pub(crate) fn unpack(mut bytes: &[u8]) -> Result<Vec<Throttle>, Error> {
    let mut throttles = Vec::new();
    while !bytes.is_empty() {
        let kind = i64::from(take::<1>(&mut bytes)?[0]);
        let subject = number(&mut bytes)?;
        let consecutive = u32::from_be_bytes(take(&mut bytes)?);
        let locked_until = moment(&mut bytes)?;
        let wrong_at = moment(&mut bytes)?;
        let wrong = Digest(take(&mut bytes)?);
        let recent = usize::from(u16::from_be_bytes(take(&mut bytes)?)) * 8;
        let (moments, rest) = bytes.split_at_checked(recent).ok_or(CORRUPT)?;
        bytes = rest;
        throttles.push(Throttle {
            key: ThrottleKey::from_numbers(kind, subject).ok_or(CORRUPT)?,
            consecutive,
            recent: unpack_moments(moments)?,
            locked_until,
            last_wrong: wrong_at.map(|at| (wrong, at)),
        });
    }
    Ok(throttles)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(CORRUPT)?;
    *bytes = rest;
    Ok(*taken)
}

fn number(bytes: &mut &[u8]) -> Result<i64, Error> {
    take(bytes).map(i64::from_be_bytes)
}

fn moment(bytes: &mut &[u8]) -> Result<Option<Timestamp>, Error> {
    Ok(Some(number(bytes)?).filter(|at| *at != 0).map(Timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::DeviceId;

    #[test]
    fn limits_survive_packing() {
        let at = Timestamp(1_700_000_000_000);
        let mut device = Throttle::new(ThrottleKey::Device(DeviceId(i64::MAX)));
        (device.consecutive, device.locked_until) = (7, Some(at));
        device.last_wrong = Some((Digest([9; 32]), at));
        let mut user = Throttle::new(ThrottleKey::User);
        user.recent = vec![at, at.plus(1), at.plus(2)];
        let all = vec![device, user, Throttle::new(ThrottleKey::TempToken)];
        let packed = pack(&all).unwrap();
        assert_eq!(unpack(&packed).unwrap(), all);
        for short in 1..packed.len() {
            assert!(unpack(&packed[..short]).is_err() || short == 63 || short == 63 + 87, "{short}");
        }
        assert_eq!((pack(&[]), unpack(&[]).unwrap()), (None, vec![]));
    }
}
