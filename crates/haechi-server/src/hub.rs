//! What all connections of a server share.

use std::sync::Arc;

use crate::admission::Admission;
use crate::pressure::Pressure;
use crate::{Limits, Shutdown};

/// The limits, counts and signals of one server, on all its listeners and cores.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) limits: Arc<Limits>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) pressure: Pressure,
    pub(crate) shutdown: Shutdown,
}

impl Hub {
    pub(crate) fn new(limits: Arc<Limits>, shutdown: Shutdown) -> Self {
        Self { admission: Arc::new(Admission::new(&limits)), pressure: Pressure::default(), limits, shutdown }
    }
}
