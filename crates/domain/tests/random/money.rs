//! Money, counted apart from the rules: off the outcomes that gateways told.

use crate::story::World;
use domain::payment::{Action, MANUAL_GATEWAY};

/// No gateway is asked for more than it holds, and none for nothing.
pub fn check(world: &World) {
    for (_, case) in world.state.cases.sorted() {
        for payment in &case.payments {
            let (mut capturing, mut refunding) = (0, 0);
            for effect in case.effects.iter().filter(|effect| effect.action.payment() == payment.id) {
                let amount = match &effect.action {
                    Action::Capture { amount, .. } => {
                        capturing += amount.get();
                        amount.get()
                    }
                    Action::Refund { amount, .. } => {
                        refunding += amount.get();
                        amount.get()
                    }
                    Action::Authorize { amount, .. } | Action::Verify { amount, .. } => amount.get(),
                    Action::Void { .. } => 1,
                };
                assert!(amount > 0, "{}: a gateway is asked for {amount}: {:?}", case.order.id, effect.action);
            }
            let (captured, refunded) = (payment.captured.get(), payment.refunded.get());
            assert!(
                payment.gateway == MANUAL_GATEWAY || captured + capturing <= payment.capturable().get(),
                "{}: {captured} captured and {capturing} asked for of {payment:?}",
                case.order.id
            );
            assert!(refunded + refunding <= captured, "{}: {refunded} refunded and {refunding} asked for of {payment:?}", case.order.id);
        }
    }
}
