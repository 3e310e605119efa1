//! A made-up shop, and 60 days of it in seconds: `campaignd demo`.
