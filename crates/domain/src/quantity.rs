//! Counts of whole units.

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// Count of whole units. Zero is legal; a negative count cannot be written down.
///
/// Commands are refused above [`crate::limits::QUANTITY_MAX`], so sums of them stay far below `u32::MAX`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);

    pub const fn new(units: u32) -> Self {
        Self(units)
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    pub fn checked_mul(self, times: u32) -> Option<Self> {
        self.0.checked_mul(times).map(Self)
    }

    /// The difference, or zero where `other` is larger.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self + delta`, or `None` when that is negative or too large.
    pub fn checked_add_signed(self, delta: i64) -> Option<Self> {
        u32::try_from(i64::from(self.0).checked_add(delta)?).ok().map(Self)
    }

    pub fn signed(self) -> i64 {
        i64::from(self.0)
    }

    /// Whole groups of `size` that fit; `size` must not be zero.
    pub fn groups_of(self, size: Self) -> Self {
        Self(self.0 / size.0)
    }
}

impl From<u32> for Quantity {
    fn from(units: u32) -> Self {
        Self(units)
    }
}

impl Add for Quantity {
    type Output = Self;
    /// # Panics
    /// On overflow, which the bounds checked by `decide` exclude.
    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect("decide bounds every quantity")
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Quantity {
    type Output = Self;
    /// # Panics
    /// When the result would be negative: a counter that was folded wrongly stops the process.
    fn sub(self, other: Self) -> Self {
        self.checked_sub(other).expect("a counter never falls below zero")
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
