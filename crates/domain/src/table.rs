//! Keyed entities of State. The only place that may look inside a hash map: order never escapes from it.

use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Entities by key. Reading gives shared entities; changing copies one only while somebody else still reads it.
///
/// Every change is remembered until [`Table::take_touched`], which gives the after-images of a transaction.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    rows: FxHashMap<K, Arc<V>>,
    touched: Vec<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: FxHashMap::default(), touched: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord, V: Clone> Table<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(Arc::as_ref)
    }

    pub fn shared(&self, key: &K) -> Option<Arc<V>> {
        self.rows.get(key).cloned()
    }

    pub fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entity for changing; remembers that it was touched.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        self.touched.push(key.clone());
        Some(Arc::make_mut(row))
    }

    pub fn insert(&mut self, key: K, value: V) {
        self.touched.push(key.clone());
        self.rows.insert(key, Arc::new(value));
    }

    /// Takes the entity out for good: its after-image is an absence.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let row = self.rows.remove(key);
        if row.is_some() {
            self.touched.push(key.clone());
        }
        row
    }

    /// Puts an entity in as it was stored: nothing is touched.
    pub fn load(&mut self, key: K, value: Arc<V>) {
        self.rows.insert(key, value);
    }

    /// Lets go of an entity that the store keeps: nothing is touched.
    pub fn evict(&mut self, key: &K) -> Option<Arc<V>> {
        self.rows.remove(key)
    }

    /// Keys in their order. Costs a sort: for lists of shared entities and for checks, not for the way of an order.
    pub fn sorted_keys(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.rows.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Entities in the order of their keys. Costs a sort, as [`Table::sorted_keys`].
    pub fn sorted(&self) -> Vec<(&K, &Arc<V>)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(b.0));
        rows
    }

    /// What was touched since the last call, each key once, in key order; `None` for what is gone.
    pub fn take_touched(&mut self) -> Vec<(K, Option<Arc<V>>)> {
        if self.touched.is_empty() {
            return Vec::new();
        }
        let mut keys = std::mem::take(&mut self.touched);
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .map(|key| {
                let row = self.rows.get(&key).cloned();
                (key, row)
            })
            .collect()
    }
}
