//! What tests of several areas share.

pub(crate) mod aiosmtpd;
pub(crate) mod database;
pub(crate) mod front;
pub(crate) mod http;
pub(crate) mod smtp;
