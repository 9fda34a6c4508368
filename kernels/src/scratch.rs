//! Room to compute in, which a thread keeps from one call to the next: to ask the system for it anew, page by page, takes a good part
//! of a small layer's time.

use std::cell::RefCell;

/// More numbers than this are given back at once.
const KEPT: usize = 1 << 22;

thread_local! {
    static ROOMS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `with` on `N` rooms for so many numbers each, with what others have left there.
pub fn scratch<const N: usize, T>(sizes: [usize; N], with: impl FnOnce([&mut [f32]; N]) -> T) -> T {
    let mut rooms = sizes.map(|size| {
        let mut room = ROOMS.with_borrow_mut(Vec::pop).unwrap_or_default();
        if room.len() < size {
            room.resize(size, 0.0);
        }
        room
    });
    let mut sizes = sizes.into_iter();
    let made = with(rooms.each_mut().map(|room| &mut room[..sizes.next().unwrap_or(0)]));
    ROOMS.with_borrow_mut(|kept| kept.extend(rooms.into_iter().rev().filter(|room| room.len() <= KEPT)));
    made
}
