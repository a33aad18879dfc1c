use super::*;
use crate::testing::memories::listed;

fn space(memories: &[(u64, u64)]) -> Result<Space, PartialOverlap> {
    let map = listed(memories)?;
    Ok(map.spaces.into_iter().next().unwrap())
}

fn extents(memories: &[(u64, u64)]) -> Vec<(u64, u64, u32)> {
    let space = space(memories).unwrap();
    let extents = space.extents().iter();
    extents
        .map(|extent| (extent.first, extent.last, extent.memory.0))
        .collect()
}

#[test]
fn the_first_of_the_list_is_in_front() {
    assert_eq!(
        extents(&[(4, 2), (0, 10)]),
        [(0, 3, 1), (4, 5, 0), (6, 9, 1)]
    );
    assert_eq!(extents(&[(0, 10), (4, 2)]), [(0, 9, 0)]);
    assert_eq!(extents(&[(0, 10), (0, 10)]), [(0, 9, 0)]);
    let three = [(5, 1), (4, 3), (0, 10)];
    assert_eq!(
        extents(&three),
        [(0, 3, 2), (4, 4, 1), (5, 5, 0), (6, 6, 1), (7, 9, 2)]
    );
    let ends = [(0, 1), (u64::MAX, 1), (0, u64::MAX)];
    assert_eq!(
        extents(&ends),
        [(0, 0, 0), (1, u64::MAX - 1, 2), (u64::MAX, u64::MAX, 1)]
    );
}

#[test]
fn memories_that_cross_are_named_in_order_of_base() {
    let pair = |first, second| PartialOverlap {
        first: MemoryId(first),
        second: MemoryId(second),
    };
    assert_eq!(space(&[(8, 4), (0, 10)]), Err(pair(1, 0)));
    assert_eq!(space(&[(0, 20), (2, 4), (5, 4)]), Err(pair(1, 2)));
}

/// The time must not grow with the square of their number.
#[test]
fn many_memories_may_be_in_front_of_each_other() {
    const COUNT: u64 = 100_000;
    let nested: Vec<_> = (0..COUNT).rev().map(|at| (at, 2 * (COUNT - at))).collect();
    assert_eq!(
        space(&nested).unwrap().extents().len(),
        2 * COUNT as usize - 1
    );
}
