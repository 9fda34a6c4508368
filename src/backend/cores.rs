//! The processor's cores, shared out among pictures.
//!
//! A loop inside a small network is over before another core is awake to take a part of it. Pictures need nothing of each other, so each
//! core takes a whole one, and then the next; only where there are fewer pictures than cores do several cores work at one.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Pools of threads that need not wait for each other, by how many cores and pools there are.
static POOLS: Mutex<BTreeMap<[usize; 2], Arc<[ThreadPool]>>> = Mutex::new(BTreeMap::new());

/// What `compute` makes of each number below `count`. A loop over the cores within it has those of one pool.
pub fn each<T: Send>(count: usize, compute: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    work(&pools(count), &|| {
        for i in iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < count)) {
            let made = compute(i);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((i, made));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, made)| made).collect()
}

/// Has every pool do `task` at once, or this thread where there is none.
fn work(pools: &[ThreadPool], task: &(impl Fn() + Sync)) {
    match pools {
        [] => task(),
        [pool] => pool.install(task),
        [pool, others @ ..] => pool.in_place_scope(|scope| {
            scope.spawn(|_| task());
            work(others, task);
        }),
    }
}

/// As many pools as there are pictures or cores, whichever is less, with all cores among them; none where the system has no thread
/// to give. They are kept from one call to the next.
fn pools(pictures: usize) -> Arc<[ThreadPool]> {
    let cores = rayon::current_num_threads();
    let count = pictures.clamp(1, cores);
    let make = || {
        let of = |i: usize| ThreadPoolBuilder::new().num_threads((cores + i) / count).build();
        (0..count).map(of).collect::<Result<_, _>>().unwrap_or_default()
    };
    POOLS.lock().unwrap_or_else(PoisonError::into_inner).entry([cores, count]).or_insert_with(make).clone()
}

#[cfg(test)]
mod tests {
    use super::{each, pools};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_number_is_computed_once_and_in_its_place() {
        for count in [0, 1, 2, 7, 40] {
            let calls = AtomicUsize::new(0);
            let squares = each(count, |i| {
                calls.fetch_add(1, Ordering::Relaxed);
                i * i
            });
            assert_eq!(squares, (0..count).map(|i| i * i).collect::<Vec<_>>());
            assert_eq!(calls.into_inner(), count);
        }
    }

    #[test]
    fn pools_have_all_cores_among_them() {
        let cores = rayon::current_num_threads();
        for pictures in 1..2 * cores {
            let sizes: Vec<_> = pools(pictures).iter().map(|pool| pool.current_num_threads()).collect();
            assert_eq!((sizes.len(), sizes.iter().sum()), (pictures.min(cores), cores), "{pictures}");
            assert!(
                sizes.iter().max().zip(sizes.iter().min()).is_some_and(|(most, least)| most - least <= 1),
                "{sizes:?}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "the third")]
    fn a_panic_is_passed_on() {
        each(5, |i| assert!(i != 3, "the third"));
    }
}
