//! One command, settled: decided once, then every room answers until there is nothing left to say.
//!
//! Reactions look at what was touched (a case, a level), not at single events: a room states what follows from the case as it
//! now stands, and says nothing when it already follows. So the order of events within a transaction cannot lose a reaction.
//! Mail alone tells of events: they are noted as they happen, and told together when all is quiet.

use crate::backlog::Looked;
use crate::command::Command;
use crate::event::{Event, Recorded, Subject};
use crate::id::OrderId;
use crate::limits::TRANSACTION_EVENTS_MAX;
use crate::order::Stretch;
use crate::rejection::Rejection;
use crate::state::{State, SubjectCount};
use crate::time::Timestamp;
use crate::{
    access, alert, backlog, catalog, count, customer, fulfillment, notification, order, payment, purchasing, returns, stock, subscription,
    transfer,
};
use smol_str::SmolStr;

/// What a decision may know besides State.
#[derive(Debug, Clone)]
pub struct Context {
    /// Never before the time of an earlier transaction.
    pub now: Timestamp,
    /// Who asks: the name of a key, or `system`.
    pub actor: SmolStr,
}

/// The events of one command, all or nothing. Empty when nothing had to change.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Transaction {
    pub events: Vec<Recorded>,
}

impl State {
    /// Decides the command, applies its events and all that follows from them.
    ///
    /// # Errors
    /// The rejection, when the command is refused; then nothing has changed.
    pub fn settle(&mut self, cx: &Context, command: Command) -> Result<Transaction, Rejection> {
        let looked = Looked::of(&command);
        let decided = self.decide(cx, command)?;
        let mut transaction = Transaction { events: Vec::with_capacity(decided.len() + 4) };
        for event in decided {
            self.record(cx.now, &mut transaction, None, event);
        }
        self.looked_again(looked);
        self.answer(cx, &mut transaction);
        self.sum_up(cx, &mut transaction);
        Ok(transaction)
    }

    /// Last of all, each order that changed says how it now stands.
    fn sum_up(&mut self, cx: &Context, transaction: &mut Transaction) {
        let mut changed: Vec<OrderId> = transaction.events.iter().filter_map(|recorded| recorded.subject.order()).collect();
        changed.sort_unstable();
        changed.dedup();
        for id in changed {
            if let Some(event) = self.cases.get(&id).and_then(order::updated) {
                let cause = last_of(transaction, &Subject::Order(id));
                self.record(cx.now, transaction, cause, event);
                // Nothing follows from a summary.
                self.touched.cases.remove(&id);
            }
        }
    }

    fn decide(&self, cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Catalog(command) => catalog::decide(self, cx, command),
            Command::Stock(command) => stock::decide(self, cx, command),
            Command::Order(command) => order::decide(self, cx, command),
            Command::Payment(command) => payment::decide(self, cx, command),
            Command::Fulfillment(command) => fulfillment::decide(self, cx, command),
            Command::Purchasing(command) => purchasing::decide(self, cx, command),
            Command::Transfer(command) => transfer::decide(self, cx, command),
            Command::Count(command) => count::decide(self, cx, command),
            Command::Returns(command) => returns::decide(self, cx, command),
            Command::Customer(command) => customer::decide(self, cx, command),
            Command::Alert(command) => alert::decide(self, cx, command),
            Command::Notification(command) => notification::decide(self, cx, command),
            Command::Access(command) => access::decide(self, cx, command),
            Command::Subscription(command) => subscription::decide(self, cx, command),
        }
    }

    /// Lets the rooms answer for what was touched: first stock to those who wait, then each case, last each level.
    fn answer(&mut self, cx: &Context, transaction: &mut Transaction) {
        loop {
            assert!(transaction.events.len() <= TRANSACTION_EVENTS_MAX * 4, "reactions do not come to an end");
            let cause = transaction.events.len().checked_sub(1).map(|last| u32::try_from(last).expect("bounded above"));
            if let Some(id) = self.touched.cases.pop_first() {
                let events = self.answer_case(cx, id);
                let cause = last_of(transaction, &Subject::Order(id)).or(cause);
                for event in events {
                    self.record(cx.now, transaction, cause, event);
                }
            } else if let Some(key) = self.touched.levels.pop_first() {
                let full = transaction.events.len() >= TRANSACTION_EVENTS_MAX;
                let mut events = if full { Vec::new() } else { stock::react(self, &key) };
                if events.is_empty() {
                    events = purchasing::react(self, cx, &key);
                    events.extend(transfer::react(self, cx, &key));
                    events.extend(transfer::react_source(self, cx, &key));
                    if self.touched.expected.remove(&key) {
                        events.extend(order::promise_waiting(self, cx, &key, Stretch::First));
                        self.promise_the_rest(&key);
                    }
                    events.extend(alert::react(self, &key));
                }
                for event in events {
                    self.record(cx.now, transaction, cause, event);
                }
            } else if let Some(id) = self.touched.drafts.pop_first() {
                for event in purchasing::react_draft(self, cx, id) {
                    self.record(cx.now, transaction, cause, event);
                }
            } else if let Some(id) = self.touched.purchase_orders.pop_first() {
                for event in alert::react_purchase_order(self, id) {
                    self.record(cx.now, transaction, cause, event);
                }
            } else if let Some(id) = self.touched.transfers.pop_first() {
                for event in alert::react_transfer(self, id) {
                    self.record(cx.now, transaction, cause, event);
                }
            } else if let Some((order, news)) = self.touched.news.pop_first() {
                // All is quiet: what the customer is to hear of it goes into one mail, and nothing follows from that.
                if let Some(event) = notification::request(self, order, &news) {
                    let cause = last_of(transaction, &Subject::Order(order)).or(cause);
                    self.record(cx.now, transaction, cause, event);
                    self.touched.cases.remove(&order);
                }
            } else {
                return;
            }
        }
    }

    /// Money first, then work, then what is told: the first room with something to say.
    fn answer_case(&self, cx: &Context, id: OrderId) -> Vec<Event> {
        let Some(case) = self.cases.get(&id) else { return Vec::new() };
        let mut events = payment::react(self, cx, case);
        if events.is_empty() {
            events = fulfillment::react(self, cx, case);
        }
        if events.is_empty() {
            events = order::react(self, cx, case);
            events.extend(alert::react_case(self, case));
        }
        events
    }

    fn record(&mut self, now: Timestamp, transaction: &mut Transaction, cause: Option<u32>, mut event: Event) {
        let subject = event.subject();
        let subject_seq = self.apply_event(now, &subject, &mut event);
        transaction.events.push(Recorded { subject, subject_seq, cause, event });
    }

    /// Folds a recorded event. Returns `false` when the fold disagrees with what was recorded: the log or the rules are wrong.
    #[must_use]
    pub fn apply(&mut self, time: Timestamp, recorded: &Recorded) -> bool {
        let mut event = recorded.event.clone();
        let subject_seq = self.apply_event(time, &recorded.subject, &mut event);
        subject_seq == recorded.subject_seq && event == recorded.event
    }

    /// Ends the reactions of a replay: what follows was recorded, too.
    pub fn end_replay(&mut self) {
        self.touched.cases.clear();
        self.touched.levels.clear();
        self.touched.news.clear();
        // The first who wait were promised anew as it was recorded; whether all were, the log does not say.
        for key in std::mem::take(&mut self.touched.expected) {
            self.backlog.promise(key);
        }
        self.touched.drafts.clear();
        self.touched.purchase_orders.clear();
        self.touched.transfers.clear();
    }

    /// Applies and stamps what follows from the fold into the event. Returns the subject's sequence.
    fn apply_event(&mut self, now: Timestamp, subject: &Subject, event: &mut Event) -> u64 {
        catalog::apply(self, event);
        stock::apply(self, now, event);
        if let Some(id) = subject.order() {
            order::apply(self, now, id, event);
        }
        purchasing::apply(self, now, event);
        transfer::apply(self, now, event);
        returns::apply(self, now, event);
        // Whoever moves stock has stamped the level by now.
        count::apply(self, now, event);
        customer::apply(self, now, event);
        alert::apply(self, now, event);
        access::apply(self, now, event);
        notification::apply(self, event);
        subscription::apply(self, now, event);
        match subject.order() {
            Some(id) => self.cases.get(&id).map_or(1, |case| case.events),
            None => self.count_event(subject),
        }
    }

    /// Adjustments and moves happen once: nothing is kept of them.
    fn count_event(&mut self, subject: &Subject) -> u64 {
        if matches!(subject, Subject::Adjustment(_) | Subject::Move(_)) {
            return 1;
        }
        if let Some(count) = self.subjects.get_mut(subject) {
            count.events += 1;
            return count.events;
        }
        self.subjects.insert(subject.clone(), SubjectCount { subject: subject.clone(), events: 1 });
        1
    }

    /// Commands that time has made due, oldest first, at most [`crate::limits::EXPIRIES_PER_TURN`] of each kind; ask again while any come.
    pub fn due(&self, now: Timestamp) -> Vec<Command> {
        let mut commands = stock::due(self, now);
        commands.extend(order::due(self, now));
        commands.extend(purchasing::due(self, now));
        commands.extend(transfer::due(self, now));
        commands.extend(backlog::due(self));
        commands
    }
}

fn last_of(transaction: &Transaction, subject: &Subject) -> Option<u32> {
    let at = transaction.events.iter().rposition(|recorded| recorded.subject == *subject)?;
    u32::try_from(at).ok()
}
