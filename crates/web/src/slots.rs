//! Places of which there is a number, in all and for each peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rate_limit::peer_key;

/// Places that are taken, in all and by each peer. An IPv6 network of 64 bits is one peer, as for the rate limits.
#[derive(Debug)]
pub struct Slots {
    all: usize,
    per_peer: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One place; dropping it frees the place.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    peer: IpAddr,
}

impl Slots {
    /// So many places in all, and so many for each peer.
    pub fn new(all: usize, per_peer: usize) -> Arc<Self> {
        Arc::new(Self { all, per_peer, taken: Mutex::default() })
    }

    /// A place for this peer, if there is one.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let peer = peer_key(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_peer.get(&peer).copied().unwrap_or_default();
        if taken.all >= self.all || here >= self.per_peer {
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, here + 1);
        Some(Slot { slots: self.clone(), peer })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        match taken.by_peer.get_mut(&self.peer) {
            Some(here) if *here > 1 => *here -= 1,
            _ => {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_over_all_peers_and_given_back() {
        let slots = Slots::new(2, 2);
        let peer = |last| IpAddr::from([192, 0, 2, last]);
        let (first, second) = (slots.take(peer(1)), slots.take(peer(2)));
        assert!(first.is_some() && second.is_some() && slots.take(peer(3)).is_none());
        drop(first);
        let third = slots.take(peer(3));
        assert!(third.is_some());
        drop((second, third));
        assert_eq!(slots.taken(), 0);
        assert!(slots.taken.lock().unwrap().by_peer.is_empty());
    }

    #[test]
    fn one_peer_does_not_take_the_places_of_others() {
        let slots = Slots::new(3, 2);
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let mapped = IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]);
        let held = [slots.take(one), slots.take(mapped)];
        assert!(held.iter().all(Option::is_some) && slots.take(one).is_none(), "both spellings are one address");
        assert!(slots.take(other).is_some());
    }
}
