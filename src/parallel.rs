//! Runs a function over a list on every core, if the list is long enough.

use rayon::prelude::*;

/// Below this, starting threads costs more than it saves.
const PARALLEL: usize = 32;

/// The results of a function over a list that it consumes, in the order of the list.
pub fn each_in_order<T: Send, R: Send>(list: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if list.len() < PARALLEL {
        list.into_iter().map(work).collect()
    } else {
        list.into_par_iter().map(work).collect()
    }
}

/// The results of a function over a list, in the order of the list.
pub fn in_order<T: Sync, R: Send>(list: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    each_in_order(list.iter().collect(), work)
}
