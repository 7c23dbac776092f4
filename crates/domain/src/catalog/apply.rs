//! How events change the catalog.

use super::{ItemStatus, Settings};
use crate::event::Event;
use crate::id::Sku;
use crate::state::State;

pub(crate) fn apply(state: &mut State, event: &mut Event) {
    let (catalog, closed) = (&mut state.catalog, &mut state.closed);
    match event {
        Event::ItemCreated(event) => catalog.items.insert(event.item.sku.clone(), event.item.clone()),
        Event::ItemUpdated(event) => {
            let back = closed.items.contains(&event.item.sku);
            closed.see_item(&event.item);
            catalog.items.insert(event.item.sku.clone(), event.item.clone());
            if back {
                // It is replenished again.
                touch_levels(state, &event.item.sku);
            }
        }
        Event::ItemRetired(event) => {
            let item = catalog.items.get_mut(&event.sku).expect("decide looked the item up");
            item.status = ItemStatus::Retired;
            item.version += 1;
            closed.see_item(item);
            // What replenishment drafted of it is needed no more.
            touch_levels(state, &event.sku);
        }
        Event::LocationCreated(event) => {
            closed.see_location(&event.location);
            catalog.locations.insert(event.location.code.clone(), event.location.clone());
        }
        Event::LocationUpdated(event) => {
            closed.see_location(&event.location);
            catalog.locations.insert(event.location.code.clone(), event.location.clone());
            state.review_location(&event.location.code);
        }
        Event::ChannelCreated(event) => catalog.channels.insert(event.channel.code.clone(), event.channel.clone()),
        Event::ChannelUpdated(event) => catalog.channels.insert(event.channel.code.clone(), event.channel.clone()),
        Event::SettingsUpdated(event) => catalog.settings.insert((), event.settings.clone()),
        Event::DigestSent(event) => {
            let settings = Settings { last_digest: Some(event.day), ..catalog.settings() };
            catalog.settings.insert((), settings);
        }
        _ => {}
    }
}

fn touch_levels(state: &mut State, sku: &Sku) {
    let levels = state.stock.locations_of(sku).map(|location| (sku.clone(), location.clone()));
    state.touched.levels.extend(levels);
}
