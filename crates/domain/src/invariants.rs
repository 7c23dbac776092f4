//! What must hold after every transaction.
