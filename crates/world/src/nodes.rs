//! Where the world reaches the validators.

use duet_node::Handle;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places at which the world reaches its validators. A validator keeps its place: who starts
/// it again after a crash puts its new handle there.
#[derive(Clone, Debug)]
pub struct Nodes(Arc<Mutex<Vec<Place>>>);

#[derive(Debug)]
struct Place {
    handle: Handle,
    /// How often the validator was started again.
    restarts: u64,
}

impl From<Vec<Handle>> for Nodes {
    fn from(handles: Vec<Handle>) -> Self {
        let places = handles.into_iter().map(|handle| Place { handle, restarts: 0 });
        Self(Arc::new(Mutex::new(places.collect())))
    }
}

impl Nodes {
    /// How many places there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places().len()
    }

    /// The validator at a place, as it was started last; it may be down.
    ///
    /// # Panics
    ///
    /// Panics if there is no such place.
    #[must_use]
    pub fn at(&self, place: usize) -> Handle {
        self.places()[place].handle.clone()
    }

    /// The validators at all places.
    #[must_use]
    pub fn all(&self) -> Vec<Handle> {
        self.places().iter().map(|place| place.handle.clone()).collect()
    }

    /// Puts a validator that was started again at its place.
    ///
    /// # Panics
    ///
    /// Panics if there is no such place.
    pub fn replace(&self, place: usize, handle: Handle) {
        let mut places = self.places();
        let place = &mut places[place];
        *place = Place { handle, restarts: place.restarts + 1 };
    }

    /// How often the validator at a place was started again.
    pub(crate) fn restarts(&self, place: usize) -> u64 {
        self.places()[place].restarts
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
