/// On all cores, where there are threads.
pub fn for_each<T: Send>(items: impl Iterator<Item = T>, each: impl Fn(T) + Sync + Send) {
    #[cfg(feature = "threads")]
    {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        items.collect::<Vec<_>>().into_par_iter().for_each(each);
    }
    #[cfg(not(feature = "threads"))]
    items.for_each(each);
}
