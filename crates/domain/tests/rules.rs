//! The rules, told as stories: one program, so that what all of them stand on is built once.

mod alerts;
mod backlog;
mod counts;
mod customer;
mod mail;
mod orders;
mod payments;
mod purchasing;
mod random;
mod rejections;
mod returns;
mod stock;
mod story;
mod subscriptions;
mod time;
mod told;
mod transfers;
