//! A disk that is full for a while.
