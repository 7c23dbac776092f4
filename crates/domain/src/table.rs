//! Keyed entities of State. The only place that may look inside a hash map: order never escapes from it.

use rustc_hash::FxHashMap;
use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

/// Entities by key. Reading gives shared entities; changing copies one only while somebody else still reads it.
///
/// Every change is remembered until [`Table::take_touched`], which gives the after-images of a transaction.
#[derive(Debug, Clone)]
pub struct Table<K, V> {
    rows: FxHashMap<K, Row<V>>,
    /// Keys of what changed; a key may stand here twice only when its entity was removed in between.
    touched: Vec<K>,
}

#[derive(Debug, Clone)]
struct Row<V> {
    value: Arc<V>,
    /// The key stands among the touched.
    touched: bool,
}

/// Answers by key, for indexes that nobody walks: quicker than a sorted map, and without an order that could escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup<K: Eq + Hash, V>(FxHashMap<K, V>);

impl<K: Eq + Hash, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key, made when there is none.
    pub fn at(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.0.entry(key).or_default()
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: FxHashMap::default(), touched: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord, V: Clone> Table<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|row| row.value.as_ref())
    }

    pub fn shared(&self, key: &K) -> Option<Arc<V>> {
        self.rows.get(key).map(|row| row.value.clone())
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
        if !row.touched {
            row.touched = true;
            self.touched.push(key.clone());
        }
        Some(Arc::make_mut(&mut row.value))
    }

    pub fn insert(&mut self, key: K, value: V) {
        let before = self.rows.insert(key.clone(), Row { value: Arc::new(value), touched: true });
        if !before.is_some_and(|row| row.touched) {
            self.touched.push(key);
        }
    }

    /// Takes the entity out for good: its after-image is an absence.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let row = self.rows.remove(key)?;
        if !row.touched {
            self.touched.push(key.clone());
        }
        Some(row.value)
    }

    /// Puts an entity in as it was stored: nothing is touched.
    pub fn load(&mut self, key: K, value: Arc<V>) {
        self.rows.insert(key, Row { value, touched: false });
    }

    /// The row is this very entity, and was not touched since the last after-images were taken.
    pub fn stands_as(&self, key: &K, value: &Arc<V>) -> bool {
        self.rows.get(key).is_some_and(|row| !row.touched && Arc::ptr_eq(&row.value, value))
    }

    /// Lets go of an entity that the store keeps: nothing is touched. What the store cannot have yet stays.
    pub fn evict(&mut self, key: &K) {
        if self.rows.get(key).is_some_and(|row| !row.touched) {
            self.rows.remove(key);
        }
    }

    /// Keys in their order. Costs a sort: for lists of shared entities and for checks, not for the way of an order.
    pub fn sorted_keys(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.rows.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Entities in the order of their keys. Costs a sort, as [`Table::sorted_keys`].
    pub fn sorted(&self) -> Vec<(&K, &Arc<V>)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, row)| (key, &row.value)).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(b.0));
        rows
    }

    /// Gives what was touched since the last call, each key once, in key order; `None` for what is gone.
    pub fn take_touched(&mut self, mut each: impl FnMut(K, Option<Arc<V>>)) {
        if self.touched.len() > 1 {
            self.touched.sort_unstable();
            self.touched.dedup();
        }
        for key in self.touched.drain(..) {
            let value = self.rows.get_mut(&key).map(|row| {
                row.touched = false;
                row.value.clone()
            });
            each(key, value);
        }
    }
}
