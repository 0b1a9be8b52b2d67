//! A small PKI of our own.
