//! Who has the processor first when there is not enough of it.

/// For threads that follow what is durable already: the store, the dashboard's mirror. Whoever waits for an answer goes first.
pub const FOLLOWER: i32 = 5;

/// Lets others have the processor first, by `niceness` as `nice(2)` counts it, 1 to 19. Only the thread that asks, and those it starts.
pub fn stand_back(niceness: i32) {
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), niceness) {
        tracing::debug!("a thread runs with ordinary priority: {error}");
    }
}
