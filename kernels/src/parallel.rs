//! Loops over the cores.

/// What an activation of one number takes, in multiplications.
pub const ACTIVATION: usize = 32;

/// Multiplications, or as much of something else, that are worth sharing out: with fewer it takes longer to wake another core than that
/// core saves.
#[cfg(feature = "threads")]
const WORTH: usize = 1 << 23;

/// On all cores, where there are threads and the `work` of all items, in multiplications, is worth it.
pub fn for_each<T: Send>(work: usize, items: impl Iterator<Item = T>, each: impl Fn(T) + Sync + Send) {
    #[cfg(feature = "threads")]
    if work >= WORTH {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        return items.collect::<Vec<_>>().into_par_iter().for_each(each);
    }
    let _ = work;
    items.for_each(each);
}
