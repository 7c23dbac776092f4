//! What left memory, and what was answered before: the sequencer's looks into the store.

use super::Sequencer;
use crate::frame::{Idempotency, Reply};
use crate::reader::ReadError;
use crate::store::Store;
use domain::command::order::Command as OrderCommand;
use domain::{Command, Fetch};

impl Sequencer {
    /// An order of the same external id may have left memory.
    pub(super) fn prefetch(&mut self, command: &Command) {
        let Command::Order(OrderCommand::PlaceOrder(place) | OrderCommand::ImportOrder { order: place, .. }) = command else { return };
        let Some(external_id) = &place.external_id else { return };
        let all_in_memory = self.state.cases.len() as u64 == self.state.counters().order;
        if all_in_memory || self.state.order_by_external_id(&place.channel, external_id).is_some() {
            return;
        }
        match self.lookups().and_then(|store| store.order_by_external_id(place.channel.as_str(), external_id)) {
            Ok(Some(id)) if self.state.case(id).is_err() => self.fetch(Fetch::Case(id)),
            Ok(Some(_) | None) => {}
            Err(error) => self.unreadable(&error),
        }
    }

    /// The store, to look into. What a batch reads is read as one: beginning and ending costs more than the look. Nothing leaves memory
    /// before the batch has ended, so that what is missing here and there never existed.
    fn lookups(&mut self) -> rusqlite::Result<&Store> {
        if !self.turn.reading {
            self.store.begin_reading()?;
            self.turn.reading = true;
        }
        Ok(&self.store)
    }

    pub(super) fn end_reading(&mut self) {
        if std::mem::take(&mut self.turn.reading)
            && let Err(error) = self.store.end_reading()
        {
            self.unreadable(&error);
        }
    }

    /// What cannot be read must not be taken for what does not exist: nothing of this batch is written, and nobody hears of it.
    pub(super) fn unreadable(&self, error: &dyn std::fmt::Display) {
        self.shared.fail(&format!("the store could not be read: {error}"));
    }

    /// Loads what left memory, or notes that there is no such thing. It leaves again, unless something happens to it.
    pub(super) fn fetch(&mut self, wanted: Fetch) {
        match self.lookups().and_then(|store| store.fetch(wanted)) {
            Ok(images) if !images.is_empty() => {
                for image in images {
                    if image.may_leave() {
                        self.leaving.push_back((0, image.clone()));
                    }
                    self.state.load(image);
                }
            }
            Ok(_) => self.state.note_absent(wanted),
            Err(error) => {
                self.unreadable(&error);
                self.state.note_absent(wanted);
            }
        }
    }

    pub(super) fn repeated(&mut self, key: &Idempotency) -> Option<Reply> {
        if let Some((known, reply, expires)) = self.answers.get(&key.key)
            && *expires >= self.now.0
        {
            return Some(if known.body == key.body { as_repeated(reply.clone()) } else { Reply::KeyReused });
        }
        self.stored_answer(key).unwrap_or_else(|error| {
            self.unreadable(&error);
            Some(Reply::OutcomeUnknown)
        })
    }

    /// The answer that the store has to a key.
    ///
    /// # Errors
    /// When it cannot be read: then nobody knows whether the command was done.
    fn stored_answer(&mut self, key: &Idempotency) -> Result<Option<Reply>, ReadError> {
        let Some(row) = self.lookups()?.key(&key.key)?.filter(|row| row.expires >= self.now.0) else { return Ok(None) };
        if row.body != key.body {
            return Ok(Some(Reply::KeyReused));
        }
        if let Some(text) = row.rejection {
            let rejection = serde_json::from_str(&text).map_err(|error| broken_answer(row.first_seq, error.to_string()))?;
            return Ok(Some(Reply::Refused { rejection, repeated: true }));
        }
        let first = self.reader.first_answer(row.first_seq, row.images.as_deref().unwrap_or("[]"))?;
        let (committed, images) = first.ok_or_else(|| broken_answer(row.first_seq, "the transaction of a key is missing".into()))?;
        Ok(Some(Reply::Done { committed, images, repeated: true }))
    }
}

fn broken_answer(at: u64, what: String) -> ReadError {
    ReadError::Log(crate::log::Error::Broken { at, what })
}

fn as_repeated(reply: Reply) -> Reply {
    match reply {
        Reply::Done { committed, images, .. } => Reply::Done { committed, images, repeated: true },
        Reply::Refused { rejection, .. } => Reply::Refused { rejection, repeated: true },
        other @ (Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace) => other,
    }
}
