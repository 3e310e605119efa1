//! A made-up shop, and 60 days of it in seconds: `campaignd demo`.
//!
//! | file | what |
//! |---|---|
//! | [`assortment`] | tables: what is sold, where people live, what they are called |
//! | [`people`] | who they are |
//! | [`story`] | what they do |

#![allow(dead_code, reason = "assembled when the engine lands")]

mod assortment;
mod people;
mod story;
