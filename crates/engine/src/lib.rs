//! The engine: one writer, a durable log, and a store that follows it.
//!
//! A command goes through three threads. The **sequencer** settles it against State and never waits for a disk; the **log**
//! thread appends the frame and makes it durable, one append in flight; only then do replies leave, and only then does the
//! **store** thread see the frame. Readers see durable frames only. Nothing here knows HTTP, a vendor or an async runtime.

mod engine;
mod frame;
pub mod log;
mod reader;
mod record;
mod recover;
mod sequencer;
mod store;
mod verify;

pub use engine::{Engine, Options, Submission};
pub use frame::{Committed, Idempotency, Reply};
pub use reader::{EventRow, LedgerRow, OrderFilter, OrderRow, Outstanding, ReadError, Reader, raw_events};
pub use recover::OpenError;
pub use verify::{Report, VerifyError, backup, rebuild, restore, verify};
