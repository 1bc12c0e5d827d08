use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Something that is fetched by one task, whoever else wants it at that moment.
///
/// A success is kept as long as callers accept it. A failure is handed to everyone who was
/// already waiting, and to nobody else: or a wrong password would be tried once per waiting task,
/// which locks accounts, and an unreachable host would be waited for as often.
///
/// A fetch whose task is dropped is taken over by the next in line.
#[derive(Debug)]
pub(crate) struct Flight<T, E> {
    landed: AtomicU64,
    last: Mutex<Option<Result<T, E>>>,
}

impl<T, E> Default for Flight<T, E> {
    fn default() -> Self {
        Self { landed: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Clone, E: Clone> Flight<T, E> {
    /// Returns what is kept, if `is_good`, or what `fetch` brings.
    pub(crate) async fn get(
        &self,
        is_good: impl Fn(&T) -> bool,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let before = self.landed.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        match &*last {
            Some(Ok(kept)) if is_good(kept) => return Ok(kept.clone()),
            Some(Err(error)) if self.landed.load(Ordering::Acquire) != before => {
                return Err(error.clone());
            }
            _ => {}
        }
        let fetched = fetch.await;
        *last = Some(fetched.clone());
        self.landed.fetch_add(1, Ordering::Release);
        fetched
    }
}
