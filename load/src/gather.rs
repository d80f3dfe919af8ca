//! Many things of one kind, so many at a time, on this thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::task::JoinSet;

use crate::error::{Error, Result};

struct Work<T, F> {
    job: F,
    next: Cell<usize>,
    done: RefCell<Vec<Option<T>>>,
}

/// Runs `job` for each number below `count`, `at_once` at a time, and gives what they made in that order.
///
/// # Errors
/// The first that failed; the others are dropped.
pub async fn gather<T, F>(count: usize, at_once: usize, job: F) -> Result<Vec<T>>
where
    T: 'static,
    F: AsyncFn(usize) -> Result<T> + 'static,
{
    let done = RefCell::new((0..count).map(|_| None).collect());
    let work = Rc::new(Work { job, next: Cell::new(0), done });
    let mut workers = JoinSet::new();
    for _ in 0..at_once.clamp(1, count.max(1)) {
        let work = work.clone();
        workers.spawn_local(async move {
            loop {
                let index = work.next.get();
                if index >= count {
                    return Ok(());
                }
                work.next.set(index + 1);
                let made = (work.job)(index).await?;
                work.done.borrow_mut()[index] = Some(made);
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|panic| Error::Refused(format!("a worker ended early: {panic}")))??;
    }
    Ok(work.done.take().into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "local")]
    async fn answers_come_in_order_and_the_first_error_ends_it() {
        let squares = gather(100, 7, async |index| {
            tokio::task::yield_now().await;
            Ok(index * index)
        });
        assert_eq!(squares.await.unwrap(), (0..100).map(|index| index * index).collect::<Vec<_>>());
        let failed = gather(100, 7, async |index| if index == 50 { Err(Error::Closed(4000)) } else { Ok(()) });
        assert!(matches!(failed.await, Err(Error::Closed(4000))));
        assert_eq!(gather(0, 7, async |_| Ok(())).await.unwrap().len(), 0);
    }
}
