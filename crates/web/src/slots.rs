//! Places of which there is a number, in all and for each peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Places that are taken, in all and by each peer.
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
        let peer = peer.to_canonical();
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
