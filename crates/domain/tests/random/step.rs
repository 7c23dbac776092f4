//! What a client, a warehouse, a gateway or the clock may do next. Steps name things by index into what is there, so they shrink well and always
//! mean something.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub enum Step {
    Place { channel: u8, lines: Vec<(u8, u32)>, shortage: u8, owner: u8, urgent: bool },
    Edit { order: u8, line: u8, units: u32 },
    Cancel { order: u8, line: Option<u8>, units: u32 },
    OnHold { order: u8, on: bool },
    Resource { order: u8 },
    Hold { owner: u8, sku: u8, units: u32, location: Option<u8> },
    AboutHold { hold: u8, extend: bool },
    Receive { sku: u8, location: u8, units: u32 },
    Reverse { receipt: u8 },
    Adjust { sku: u8, location: u8, delta: i64 },
    Move { sku: u8, location: u8, units: u32, from: u8, to: u8 },
    Safety { sku: u8, location: u8, units: u32 },
    Count { sku: u8, location: u8 },
    Counted { count: u8, sku: u8, units: u32 },
    AboutCount { count: u8, post: bool },
    Transfer { sku: u8, from: u8, to: u8, units: u32 },
    AboutTransfer { transfer: u8, verb: u8, sku: u8, accepted: u32, damaged: u32 },
    Buy { sku: u8, location: u8, units: u32 },
    AboutPurchase { order: u8, verb: u8, sku: u8, accepted: u32, damaged: u32, day: u8 },
    Policy { sku: u8, location: u8, point: u32, more: u32, on: bool },
    Gateway { order: u8, effect: u8, answer: u8 },
    Pay { order: u8, by_hand: bool },
    Refund { order: u8, line: u8, units: u32, amount: Option<i64> },
    Work { order: u8, work: u8, verb: u8 },
    ShortPick { order: u8, work: u8, line: u8, units: u32 },
    Return { order: u8, line: u8, units: u32 },
    AboutReturn { order: u8, n: u8, verb: u8, units: u32, disposition: u8 },
    Blind { sku: u8, location: u8, units: u32, disposition: u8 },
    Retire { sku: u8 },
    Location { location: u8, active: bool },
    Channel { channel: u8, change: u8 },
    Wait { minutes: u32 },
}

/// A day in the life of a shop: what happens often is drawn often.
pub fn steps(longest: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..longest)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![6 => orders(), 5 => money(), 6 => work(), 4 => levels(), 2 => counts(), 3 => supply(), 1 => catalog(), 2 => time()]
}

fn few() -> impl Strategy<Value = u32> {
    1u32..7
}

fn orders() -> BoxedStrategy<Step> {
    let lines = prop::collection::vec((0u8..5, few()), 1..4);
    prop_oneof![
        4 => (any::<u8>(), lines, 0u8..5, 0u8..4, any::<bool>())
            .prop_map(|(channel, lines, shortage, owner, urgent)| Step::Place { channel, lines, shortage, owner, urgent }),
        2 => (any::<u8>(), prop::option::of(0u8..3), few()).prop_map(|(order, line, units)| Step::Cancel { order, line, units }),
        1 => (any::<u8>(), 0u8..3, 0u32..9).prop_map(|(order, line, units)| Step::Edit { order, line, units }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(order, on)| Step::OnHold { order, on }),
        1 => any::<u8>().prop_map(|order| Step::Resource { order }),
        1 => (0u8..3, 0u8..4, few(), prop::option::of(0u8..2))
            .prop_map(|(owner, sku, units, location)| Step::Hold { owner, sku, units, location }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(hold, extend)| Step::AboutHold { hold, extend }),
    ]
    .boxed()
}

fn money() -> BoxedStrategy<Step> {
    prop_oneof![
        8 => (any::<u8>(), 0u8..3, 0u8..8).prop_map(|(order, effect, answer)| Step::Gateway { order, effect, answer }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(order, by_hand)| Step::Pay { order, by_hand }),
        2 => (any::<u8>(), 0u8..3, few(), prop::option::of(1i64..3000))
            .prop_map(|(order, line, units, amount)| Step::Refund { order, line, units, amount }),
    ]
    .boxed()
}

fn work() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => (any::<u8>(), any::<u8>(), 0u8..8).prop_map(|(order, work, verb)| Step::Work { order, work, verb }),
        2 => (any::<u8>(), any::<u8>(), 0u8..3, few()).prop_map(|(order, work, line, units)| Step::ShortPick { order, work, line, units }),
        1 => (any::<u8>(), 0u8..3, few()).prop_map(|(order, line, units)| Step::Return { order, line, units }),
        2 => (any::<u8>(), any::<u8>(), 0u8..5, few(), 0u8..3)
            .prop_map(|(order, n, verb, units, disposition)| Step::AboutReturn { order, n, verb, units, disposition }),
    ]
    .boxed()
}

fn levels() -> BoxedStrategy<Step> {
    let at = || (0u8..4, 0u8..2);
    prop_oneof![
        4 => (at(), 1u32..20).prop_map(|((sku, location), units)| Step::Receive { sku, location, units }),
        1 => any::<u8>().prop_map(|receipt| Step::Reverse { receipt }),
        3 => (at(), -9i64..6).prop_map(|((sku, location), delta)| Step::Adjust { sku, location, delta }),
        2 => (at(), few(), 0u8..4, 0u8..4).prop_map(|((sku, location), units, from, to)| Step::Move { sku, location, units, from, to }),
        1 => (at(), 0u32..4).prop_map(|((sku, location), units)| Step::Safety { sku, location, units }),
        1 => (at(), few(), 0u8..3).prop_map(|((sku, location), units, disposition)| Step::Blind { sku, location, units, disposition }),
    ]
    .boxed()
}

fn counts() -> BoxedStrategy<Step> {
    prop_oneof![
        (0u8..4, 0u8..2).prop_map(|(sku, location)| Step::Count { sku, location }),
        (any::<u8>(), 0u8..4, 0u32..20).prop_map(|(count, sku, units)| Step::Counted { count, sku, units }),
        (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(count, post)| Step::AboutCount { count, post }),
    ]
    .boxed()
}

fn supply() -> BoxedStrategy<Step> {
    prop_oneof![
        (0u8..4, 0u8..2, 0u8..2, few()).prop_map(|(sku, from, to, units)| Step::Transfer { sku, from, to, units }),
        (any::<u8>(), 0u8..4, 0u8..4, 0u32..7, 0u32..2).prop_map(|(transfer, verb, sku, accepted, damaged)| Step::AboutTransfer {
            transfer,
            verb,
            sku,
            accepted,
            damaged
        }),
        (0u8..4, 0u8..2, few()).prop_map(|(sku, location, units)| Step::Buy { sku, location, units }),
        (any::<u8>(), 0u8..6, 0u8..4, 0u32..9, 0u32..2, 0u8..20)
            .prop_map(|(order, verb, sku, accepted, damaged, day)| { Step::AboutPurchase { order, verb, sku, accepted, damaged, day } }),
        (0u8..4, 0u8..2, 0u32..6, 1u32..20, prop::bool::weighted(0.8)).prop_map(|(sku, location, point, more, on)| Step::Policy {
            sku,
            location,
            point,
            more,
            on
        }),
    ]
    .boxed()
}

fn catalog() -> BoxedStrategy<Step> {
    prop_oneof![
        1 => (0u8..4).prop_map(|sku| Step::Retire { sku }),
        3 => (0u8..2, any::<bool>()).prop_map(|(location, active)| Step::Location { location, active }),
        3 => (any::<u8>(), 0u8..6).prop_map(|(channel, change)| Step::Channel { channel, change }),
    ]
    .boxed()
}

fn time() -> BoxedStrategy<Step> {
    prop_oneof![(1u32..50), (60u32..3000), (3000u32..60_000)].prop_map(|minutes| Step::Wait { minutes }).boxed()
}
