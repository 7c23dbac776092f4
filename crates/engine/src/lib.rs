//! The engine: one writer, a durable log, and a store that follows it.
//!
//! ```text
//! submit ─▶ queue ─▶ sequencer ─ frame ─▶ log ─▶ readers, replies, answers ─▶ store
//!          (bounded)  settles              fsync   (durable only)              (coalesced)
//! ```
//!
//! A command goes through three threads. The **sequencer** settles it against State and never waits for a disk; the **log**
//! thread appends the frame and makes it durable, one append in flight; only then do replies leave, and only then does the
//! **store** thread see the frame. While one frame is being synced the next fills up, so load makes frames larger, not slower.
//! Nothing here knows HTTP, a vendor or an async runtime.
//!
//! # What holds
//!
//! - A reply, a refusal and an answer to a question leave only when all that was settled before them is durable.
//! - The log is the only truth: `log.db`, a row per transaction, each frame hashed over the one before. The store (`store.db`)
//!   may be deleted at any time; it remembers which log it followed and how far, and is made anew from another.
//! - A key seen within 24 hours of log time gets its first answer, also after a crash: the key is a record of its transaction.
//! - A closed case without timers or effects leaves memory once it is stored, and comes back when a command names it. During a
//!   decision nothing is read: what is missing is `NotLoaded`, fetched, and the decision made again.
//! - Time is data, never before the last transaction. A wall clock that runs apart from the monotonic one by more than five
//!   minutes suspends timers; commands are taken.
//!
//! # What goes wrong
//!
//! | | then |
//! |---|---|
//! | queue full, in commands or bytes | [`Busy`]: nothing happened, come again |
//! | disk full, cleanly | [`Reply::NoSpace`]; State goes back to what is durable, and the engine goes on |
//! | append in doubt, or another writer | fail-stop: [`Reply::OutcomeUnknown`]; restart, and retry with the same key |
//! | store cannot follow | the log waits, then the queue fills: lag is bounded |
//! | a command panics | it is set aside by its fingerprint; State is read again |
//! | the process is killed | the store catches up with the log, live cases load, `engine.started` opens the next epoch |

mod engine;
mod frame;
pub mod json;
mod keyed;
pub mod log;
pub mod priority;
mod queue;
mod reader;
mod record;
mod recover;
mod sequencer;
mod snapshot;
mod store;
mod verify;
mod writer;

pub use engine::{Engine, Options, Submission, incarnation_of};
pub use frame::{Backfill, Committed, Cursor, Idempotency, Parked, Pending, Reply};
pub use keyed::{Keyed, keyed};
pub use log::Error as LogError;
pub use reader::minutes;
pub use reader::{Consistency, EventRow, LedgerRow, Letter, OrderFilter, OrderRow, Outstanding, ReadError, Reader, raw_events};
pub use recover::OpenError;
pub use snapshot::{Moved, Snapshot, events, ledger, state_at};
pub use verify::{Report, SCRATCH, VerifyError, backup, rebuild, restore, state_hash, verify, verify_within};
